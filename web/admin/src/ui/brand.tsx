/** The product's mark and name. */

import icon from "../icon.svg";

export function Brand({ stack, region }: { stack?: string; region?: string }) {
  return (
    <div className="brand">
      <img src={icon} alt="" width={32} height={32} />
      <div>
        <p className="brand-name">Stream Encryptor</p>
        {stack && (
          <p className="brand-stack">
            {stack} {region && <span>{region}</span>}
          </p>
        )}
      </div>
    </div>
  );
}

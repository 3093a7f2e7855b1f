/** How far something has come. */

import { Progress } from "@base-ui/react/progress";

interface ProgressBarProps {
  /** From 0 to 1. */
  share: number;
  label: string;
  tone: "live" | "still" | "done";
  tall?: boolean;
}

export function ProgressBar({ share, label, tone, tall = false }: ProgressBarProps) {
  return (
    <Progress.Root
      value={Math.round(share * 1000) / 10}
      aria-label={label}
      className={`progress ${tone}${tall ? " tall" : ""}`}
    >
      <Progress.Track className="track">
        <Progress.Indicator className="indicator" />
      </Progress.Track>
    </Progress.Root>
  );
}

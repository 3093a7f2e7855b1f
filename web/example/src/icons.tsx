/** Drawings beside words; a screen reader hears the words. */

const PATHS = {
  locked:
    "M8 11V8a4 4 0 0 1 8 0v3M6.500 11h11a1.500 1.500 0 0 1 1.500 1.500v6a1.500 1.500 0 0 1-1.500 1.500h-11A1.500 1.500 0 0 1 5 18.500v-6A1.500 1.500 0 0 1 6.500 11z",
  open: "M8 11V7.500a4 4 0 0 1 7.700-1.500M6.500 11h11a1.500 1.500 0 0 1 1.500 1.500v6a1.500 1.500 0 0 1-1.500 1.500h-11A1.500 1.500 0 0 1 5 18.500v-6A1.500 1.500 0 0 1 6.500 11z",
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  send: "M5 12h13M12.500 6l6 6-6 6",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.100",
  out: "M14 5H6.500A1.500 1.500 0 0 0 5 6.500v11A1.500 1.500 0 0 0 6.500 19H14M10 12h10M16.500 8l4 4-4 4",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

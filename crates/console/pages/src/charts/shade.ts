/** Shades from light to dark for figures that differ by magnitudes: by rank, not by size. */

const SHADES = 6;

/** Returns the shade's class of each value: `q0` for nothing, `q1` to `q6` for the rest. */
export function shades(values: (number | null)[]): (value: number | null) => string {
  const sorted = [...new Set(values.filter((value): value is number => value !== null && value > 0))].sort((a, b) => a - b);
  return (value) => {
    if (value === null || value <= 0 || sorted.length === 0) return "q0";
    const rank = sorted.findIndex((one) => one >= value) + 1;
    return `q${Math.max(1, Math.ceil((rank / sorted.length) * SHADES))}`;
  };
}

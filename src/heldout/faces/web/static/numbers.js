// Numbers as the server writes them (faces/numbers.py): four significant digits, exponents of two digits.
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  if (value === 0) return "0";
  const tie = /^(-?\d\.\d\d[02468])50*e(.*)$/.exec(value.toExponential(20)); // Python rounds what lies halfway to the even digit
  const [digits, exponent] = tie ? tie.slice(1) : value.toExponential(3).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 4) {
    const sign = power < 0 ? "-" : "+";
    return `${digits.replace(/\.?0+$/, "")}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const text = Number(`${digits}e${power}`).toFixed(Math.max(0, 3 - power));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Several members' values: one number, or their range. */
export function span(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!known.length) return "—";
  const [low, high] = [number(Math.min(...known)), number(Math.max(...known))];
  return low === high ? low : `${low} to ${high}`;
}

export function interval(row) {
  if (row.low != null && row.high != null) return `${number(row.low)} to ${number(row.high)}`;
  return row.standard_error == null ? "" : `± ${number(row.standard_error)}`;
}

export const counted = (value) => Math.round(value).toLocaleString("en-US");

export function lasted(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  if (seconds < 60) return `${Number(seconds.toPrecision(3))} s`;
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${counted(Math.floor(whole / 3600))} h ${Math.floor((whole % 3600) / 60)} min`;
}

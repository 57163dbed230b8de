/** A number without a format ("Automatic"): up to ten significant digits, scientific from 1E+15 on. */
export function general(n: number): string {
  if (n === 0) return "0";
  const size = Math.abs(n);
  if (size >= 1e15 || size < 1e-9) return scientific(n);
  if (Number.isInteger(n)) return String(n);
  const rounded = Number(n.toPrecision(size >= 1e10 ? Math.floor(Math.log10(size)) + 1 : 10));
  return plain(rounded);
}

/** 1.23457E+15: five decimals at most. */
function scientific(n: number): string {
  const [mantissa = "", exponent = ""] = n.toExponential(5).split("e");
  const power = Number(exponent);
  return `${Number(mantissa)}E${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Decimals without an exponent; JavaScript changes to one below 1e-6. */
function plain(n: number): string {
  const text = String(n);
  return text.includes("e") ? n.toFixed(20).replace(/0+$/, "") : text;
}

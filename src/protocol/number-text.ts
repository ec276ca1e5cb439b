/** Numbers as arguments of commands. */

/**
 * The number in plain decimal notation: `1.5e-7` as `0.00000015` and `1e21` as `1000000000000000000000`, since Redis reads
 * no exponents where it wants integers; `Infinity` as `inf`. Not for `NaN`.
 */
export function textOfNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value)
  if (Number.isFinite(value)) return plainDecimal(String(value))
  return value > 0 ? "inf" : "-inf"
}

function plainDecimal(text: string): string {
  const [mantissa = "", exponentText] = text.split("e")
  if (exponentText === undefined) return text
  const exponent = Number(exponentText)
  const sign = mantissa.startsWith("-") ? "-" : ""
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".")
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - whole.length)}${whole}${fraction}`
  return sign + whole + fraction.padEnd(exponent, "0")
}

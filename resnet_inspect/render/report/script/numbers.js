// Unpacks the summaries of tensors that render/report/numbers.py packed.

async function unpack(id) {
  const text = byId(id).textContent;
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Reads the byte planes; render/report/numbers.py describes the format.
class Numbers {
  constructor(bytes, series, format) {
    this.bytes = bytes;
    this.format = format;
    let rows = 0;
    for (const tensor of series) {
      tensor.first = rows;
      rows += tensor.steps.length;
    }
    this.rows = rows;
    this.mantissas = 4 * rows * format.whole.length;
    this.exponents = this.mantissas + 2 * rows * format.decimal.length;
    this.shades = this.exponents + 2 * rows * format.decimal.length;
  }

  whole(series, place, name) {
    const planes = this.rows * this.format.whole.length;
    const at = this.format.whole.indexOf(name) * this.rows + series.first + place;
    let value = 0;
    for (let plane = 3; plane >= 0; plane--) value = value * 256 + this.bytes[plane * planes + at];
    return value;
  }

  short(start, at) {
    const planes = this.rows * this.format.decimal.length;
    const value = this.bytes[start + at] | (this.bytes[start + planes + at] << 8);
    return value > 32767 ? value - 65536 : value;
  }

  // [mantissa, exponent] of a number, from which its text and its value are made.
  decimal(series, place, name) {
    const at = this.format.decimal.indexOf(name) * this.rows + series.first + place;
    return [this.short(this.mantissas, at), this.short(this.exponents, at)];
  }

  value(series, place, name) {
    const [mantissa, exponent] = this.decimal(series, place, name);
    if (exponent === this.format.infinite) return mantissa * Infinity;
    if (exponent === this.format.none) return NaN;
    return Number(`${mantissa}e${exponent}`);
  }

  text(series, place, name) {
    const [mantissa, exponent] = this.decimal(series, place, name);
    if (exponent === this.format.none) return "–";
    if (exponent === this.format.infinite) return mantissa > 0 ? "inf" : "−inf";
    if (!mantissa) return "0";
    const digits = String(Math.abs(mantissa)).padEnd(4, "0");
    const sign = mantissa < 0 ? "−" : "";
    const power = exponent + 3;
    if (power >= 0 && power < 3) return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
    if (power === 3) return sign + digits;
    if (power < 0 && power >= -3) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
    return `${sign}${digits[0]}.${digits.slice(1)}e${String(power).replace("-", "−")}`;
  }

  // The shares of the cells at one step.
  cells(series, place) {
    const { cells, levels } = this.format;
    const start = this.shades + (series.first + place) * cells;
    const peak = this.value(series, place, "peak") || 0;
    return Array.from(this.bytes.subarray(start, start + cells), (level) => peak * (level / levels) ** 2);
  }
}

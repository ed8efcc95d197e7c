// Scales of values, linear or symmetric-log, and short texts of numbers.

class Scale {
  constructor([low, high, symlog, threshold]) {
    Object.assign(this, { low, high, symlog, threshold });
    this.from = this.transformed(low);
    this.length = this.transformed(high) - this.from;
  }

  static common(every) {
    const [first] = every;
    const low = Math.min(...every.map((scale) => scale[0]));
    const high = Math.max(...every.map((scale) => scale[1]));
    const symlog = every.some((scale) => scale[2]);
    const threshold = Math.min(...every.filter((scale) => scale[2] || !symlog).map((scale) => scale[3]));
    return new Scale(every.length === 1 ? first : [low, high, symlog, threshold]);
  }

  transformed(value) {
    return this.symlog ? Math.sign(value) * Math.log10(1 + Math.abs(value) / this.threshold) : value;
  }

  at(value) {
    return (this.transformed(value) - this.from) / this.length;
  }

  borders(cells) {
    return Array.from({ length: cells + 1 }, (_, place) => {
      const even = this.from + (this.length * place) / cells;
      return this.symlog ? Math.sign(even) * this.threshold * (10 ** Math.abs(even) - 1) : even;
    });
  }

  ticks(room) {
    const ticks = [];
    const apart = (at) => ticks.every(([other]) => Math.abs(other - at) * room > 52);
    for (const value of this.symlog ? this.powers() : this.round(Math.max(2, Math.floor(room / 80)))) {
      const at = this.at(value);
      if (at >= -1e-9 && at <= 1 + 1e-9 && apart(at)) ticks.push([at, tick(value)]);
    }
    return ticks;
  }

  powers() {
    const top = Math.ceil(Math.log10(Math.max(Math.abs(this.low), Math.abs(this.high))));
    const values = [0];
    for (let power = top; power >= Math.log10(this.threshold); power--) {
      for (const factor of [5, 2, 1]) values.push(factor * 10 ** power, -factor * 10 ** power);
    }
    const whole = (value) => Math.abs(Math.log10(Math.abs(value)) % 1) < 1e-9;
    return [0, ...values.filter((value) => value && whole(value)), ...values.filter((value) => value && !whole(value))];
  }

  round(most) {
    const rough = (this.high - this.low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9));
    const values = [];
    for (let at = Math.ceil(this.low / step - 1e-9); at * step <= this.high + step * 1e-9; at++) values.push(at * step);
    return values;
  }
}

function tick(value) {
  const short = Number(value.toPrecision(4));
  const text = short && (Math.abs(short) < 1e-3 || Math.abs(short) >= 1e5) ? short.toExponential() : String(short);
  return text.replace("e+", "e").replaceAll("-", "−");
}

function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.1) return "<0.1 %";
  if (value > 99.9 && value < 100) return ">99.9 %";
  return `${value.toFixed(1)} %`;
}

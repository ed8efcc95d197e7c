// Scales of values, linear or bent logarithmically to both sides of zero, and short numbers.

class Scale {
  constructor([low, high, bent, threshold]) {
    Object.assign(this, { low, high, bent, threshold });
    this.from = this.bend(low);
    this.length = this.bend(high) - this.from;
  }

  static common(every) {
    const [first] = every;
    const low = Math.min(...every.map((one) => one[0]));
    const high = Math.max(...every.map((one) => one[1]));
    const bent = every.some((one) => one[2]);
    const within = Math.min(...every.filter((one) => one[2] || !bent).map((one) => one[3]));
    return new Scale(every.length === 1 ? first : [low, high, bent, within]);
  }

  bend(value) {
    return this.bent ? Math.sign(value) * Math.log10(1 + Math.abs(value) / this.threshold) : value;
  }

  at(value) {
    return (this.bend(value) - this.from) / this.length;
  }

  borders(cells) {
    return Array.from({ length: cells + 1 }, (_, place) => {
      const even = this.from + (this.length * place) / cells;
      return this.bent ? Math.sign(even) * this.threshold * (10 ** Math.abs(even) - 1) : even;
    });
  }

  ticks(room) {
    const found = [];
    const apart = (at) => found.every(([other]) => Math.abs(other - at) * room > 52);
    for (const value of this.bent ? this.powers() : this.round(Math.max(2, Math.floor(room / 80)))) {
      const at = this.at(value);
      if (at >= -1e-9 && at <= 1 + 1e-9 && apart(at)) found.push([at, tick(value)]);
    }
    return found;
  }

  powers() {
    const top = Math.ceil(Math.log10(Math.max(Math.abs(this.low), Math.abs(this.high))));
    const found = [0];
    for (let power = top; power >= Math.log10(this.threshold); power--) {
      for (const factor of [5, 2, 1]) found.push(factor * 10 ** power, -factor * 10 ** power);
    }
    const whole = (value) => Math.abs(Math.log10(Math.abs(value)) % 1) < 1e-9;
    return [0, ...found.filter((one) => one && whole(one)), ...found.filter((one) => one && !whole(one))];
  }

  round(most) {
    const rough = (this.high - this.low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * (1 - 1e-9));
    const found = [];
    for (let at = Math.ceil(this.low / step - 1e-9); at * step <= this.high + step * 1e-9; at++) found.push(at * step);
    return found;
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

/**
 * Queues and losses in closed form. An offered load is in erlangs: arrivals a second times seconds of service each, the mean number of
 * servers that are wanted at once. A. K. Erlang 1917; the recursion: ITU-T Teletraffic Engineering Handbook, 4.2.
 */

/** Part of the arrivals that find every one of `servers` taken and go away (a loss system: slots). 0 servers refuse all. */
export function erlangB(servers: number, erlangs: number): number {
  if (!(erlangs > 0)) return servers > 0 ? 0 : 1;
  // 1/B in place of B: it grows past 1e308 into Infinity, whose inverse is the right 0, where B itself would lose its digits.
  let inverse = 1;
  for (let n = 1; n <= servers && inverse !== Infinity; n += 1)
    inverse = 1 + (inverse * n) / erlangs;
  return 1 / inverse;
}

/** Part of the arrivals that must wait (a queue without bound: CPUs). 1 at and beyond full load, where the queue grows without end. */
export function erlangC(servers: number, erlangs: number): number {
  if (!(erlangs > 0)) return 0;
  if (erlangs >= servers) return 1;
  const lost = erlangB(servers, erlangs);
  return lost / (1 - (erlangs / servers) * (1 - lost));
}

/** Mean wait before service, in the unit of `service`; Infinity when overloaded. */
export function meanWait(servers: number, erlangs: number, service: number): number {
  return erlangs >= servers
    ? Infinity
    : (erlangC(servers, erlangs) * service) / (servers - erlangs);
}

/** The wait that the part `q` of the arrivals stays below, in the unit of `service`; Infinity when overloaded. */
export function waitQuantile(q: number, servers: number, erlangs: number, service: number): number {
  if (erlangs >= servers) return Infinity;
  const waits = erlangC(servers, erlangs);
  return waits <= 1 - q ? 0 : (Math.log(waits / (1 - q)) * service) / (servers - erlangs);
}

/** The fewest servers that refuse at most the part `blocking` of the arrivals. One pass: each step is one server more. */
export function serversFor(erlangs: number, blocking: number): number {
  if (!(erlangs > 0)) return 0;
  let inverse = 1;
  let n = 0;
  while (1 / inverse > blocking) {
    n += 1;
    inverse = 1 + (inverse * n) / erlangs;
  }
  return n;
}

/** The load at which `servers` refuse the part `blocking` of the arrivals, in erlangs. @param blocking above 0, below 1. */
export function erlangsFor(servers: number, blocking: number): number {
  let [low, high] = [0, 2 * servers + 1];
  while (erlangB(servers, high) < blocking) high *= 2;
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (erlangB(servers, middle) > blocking) high = middle;
    else low = middle;
  }
  return low;
}

/** Part of the time in which more than `comfort` of `servers` are taken (a loss system: the Poisson distribution, cut off at `servers`). */
export function timeAbove(comfort: number, servers: number, erlangs: number): number {
  if (!(erlangs > 0) || comfort >= servers) return 0;
  let [term, sum, above] = [1, 0, 0];
  for (let n = servers; n >= 0; n -= 1) {
    sum += term;
    if (n > comfort) above += term;
    term *= n / erlangs;
    if (sum > 1e280) [term, sum, above] = [term / 1e280, sum / 1e280, above / 1e280];
  }
  return above / sum;
}

/** Little 1961: how many are inside, when `rate` a second come and each stays `seconds`. */
export const inside = (rate: number, seconds: number): number => rate * seconds;

/**
 * The first module of every drover process that may be a master: Node opens its debugger on SIGUSR1 unless somebody listens,
 * and `kill -USR1` of a rotated log must never do that.
 */
process.on("SIGUSR1", () => {});

// node:cluster as its documentation shows it: `node cluster.cjs WORKERS APP`.
const cluster = require("node:cluster");

const [workers, app] = process.argv.slice(2);
cluster.setupPrimary({ exec: app, args: [] });
for (let i = 0; i < Number(workers); i += 1) cluster.fork();

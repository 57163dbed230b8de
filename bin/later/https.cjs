// The same for node:https (see http2.cjs).
exports.createServer = (...given) => process.getBuiltinModule("node:https").createServer(...given);

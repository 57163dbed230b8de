// --import'ed into every process of the service by supervision.sh: SIGPWR then hangs the master's loop for ever, as a fault of drover would.
if (process.argv[2] === "serve")
  process.on("SIGPWR", () => {
    for (;;);
  });

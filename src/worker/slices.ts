import type { TLSSocket } from "node:tls";

/** OpenSSL's records hold 16 KiB: a few of them at a time cost no throughput. */
const SLICE = 65_536;

type Done = (error?: Error | null) => void;
interface Chunk {
  readonly chunk: Buffer | string;
  /** `buffer` of bytes. */
  readonly encoding: BufferEncoding | "buffer";
}
/** What net.Socket gives to Writable. */
interface Writing {
  _write(chunk: Buffer | string, encoding: Chunk["encoding"], done: Done): void;
  _writev?(chunks: readonly Chunk[], done: Done): void;
}

/**
 * Gives an encrypted socket what is written in slices, each after the one before has left. node:tls encrypts a whole write at once and
 * keeps buffers of that size until the connection ends: a resting connection would hold as much memory as its largest answer.
 */
export function writeInSlices(socket: TLSSocket): void {
  const writing = socket as unknown as Writing;
  const write = writing._write.bind(socket);
  const writev = writing._writev?.bind(socket);
  const writeAll = (pieces: Iterator<Chunk>, done: Done): void => {
    // A write may be done before it returns: then the loop goes on, so that the stack does not grow with the answer.
    let returned: boolean;
    const next = (): void => {
      for (;;) {
        const { value: piece, done: over } = pieces.next();
        if (over === true) return done();
        let finished = false;
        returned = false;
        write(piece.chunk, piece.encoding, (error) => {
          if (error !== undefined && error !== null) return done(error);
          finished = true;
          if (returned) next();
        });
        returned = true;
        if (!finished) return;
      }
    };
    next();
  };
  writing._write = (chunk, encoding, done) =>
    chunk.length <= SLICE ? write(chunk, encoding, done) : writeAll(sliced([{ chunk, encoding }]), done);
  if (writev === undefined) return;
  writing._writev = (chunks, done) =>
    chunks.reduce((sum, { chunk }) => sum + chunk.length, 0) <= SLICE ? writev(chunks, done) : writeAll(sliced(chunks), done);
}

function* sliced(chunks: readonly Chunk[]): Generator<Chunk, undefined> {
  for (const { chunk, encoding } of chunks) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
    for (let at = 0; at < bytes.length; at += SLICE) yield { chunk: bytes.subarray(at, at + SLICE), encoding: "buffer" };
  }
}

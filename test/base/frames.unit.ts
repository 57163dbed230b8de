import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { encodeFrame, FrameReader, MAX_FRAME, type Frame } from "../../src/base/frames.ts";

const wire = (frames: { head: unknown; body: Uint8Array }[]): Buffer =>
  Buffer.concat(frames.flatMap(({ head, body }) => encodeFrame(head, body)));

test("frames come out as they went in, however the stream is cut", () => {
  const frame = fc.record({ head: fc.jsonValue(), body: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      (sent, cuts) => {
        const bytes = wire(sent);
        const reader = new FrameReader();
        const got: Frame[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const next = at + (cuts[turn % cuts.length] ?? 1);
          got.push(...reader.push(bytes.subarray(at, next)));
          at = next;
        }
        assert.deepEqual(
          got.map(({ head, body }) => ({ head, body: [...body] })),
          sent.map(({ head, body }) => ({ head: JSON.parse(JSON.stringify(head)), body: [...body] })),
        );
      },
    ),
  );
});

test("a frame that claims too much, and a head that is no JSON, throw", () => {
  const huge = Buffer.alloc(8);
  huge.writeUInt32BE(2, 0);
  huge.writeUInt32BE(MAX_FRAME, 4);
  assert.throws(() => new FrameReader().push(huge), RangeError);
  const broken = Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]), Buffer.from("{")]);
  assert.throws(() => new FrameReader().push(broken), SyntaxError);
});

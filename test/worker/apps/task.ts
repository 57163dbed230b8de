export default function (task: { bytes: SharedArrayBuffer; add: number }): number {
  const bytes = new Uint8Array(task.bytes);
  bytes[0] = (bytes[0] ?? 0) + task.add; // the caller sees it: the memory is shared, not copied
  return bytes.length;
}

export async function slow(milliseconds: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return "slow";
}

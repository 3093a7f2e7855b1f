/**
 * What is encrypted: JSON with one member, named for the attribute, gzip-compressed where that is smaller.
 *
 * ```
 * {"history":{"L":[{"M":{"type":{"S":"human"},"sent":{"N":"1767340800"}}}]}}
 * ```
 *
 * docs/format.md, "The content", specifies it.
 */
import { fromAttribute, toAttribute } from "./dynamodb-json.js";
import { DecryptionError, ValidationError } from "./errors.js";
import { parseJson } from "./json.js";
import type { Value } from "./values.js";

/** Where inflation stops, in bytes, so that a small message cannot fill the memory. */
export const MAX_INFLATED_SIZE = 4 * 1024 * 1024;

const GZIP_TRAILER = 4; // The last bytes: the size of the text, little-endian (RFC 1952, section 2.3.1).

/**
 * Returns the bytes to encrypt for the attribute `name` with `value`.
 *
 * @throws ValidationError DynamoDB cannot hold the value.
 */
export async function encodeContent(name: string, value: Value): Promise<Uint8Array<ArrayBuffer>> {
  const text = new TextEncoder().encode(JSON.stringify({ [name]: toAttribute(name, value) }));
  if (text.length > MAX_INFLATED_SIZE) throw new ValidationError(name, "too long to be decrypted again", "too-large");
  const packed = await collect(piped(text, new CompressionStream("gzip")), text.length);
  return packed && packed.length < text.length ? packed : text;
}

/**
 * Returns the value in `content`, made for the attribute `name`.
 *
 * @throws DecryptionError it is of another attribute, inflates to over 4 MiB, or holds no DynamoDB value.
 */
export async function decodeContent(name: string, content: Uint8Array<ArrayBuffer>): Promise<Value> {
  try {
    const text = content[0] === 0x1f && content[1] === 0x8b ? await inflate(content) : content;
    const document = parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
    if (!(document instanceof Map) || document.size !== 1) throw new TypeError("not one member");
    return fromAttribute(document.get(name));
  } catch {
    // Whatever it was, its text may quote the content.
    throw new DecryptionError("wrong-attribute-or-content");
  }
}

async function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const text = await collect(piped(packed, new DecompressionStream("gzip")), MAX_INFLATED_SIZE);
  if (!text) throw new RangeError("inflates to too much");
  // Not every engine refuses what follows the stream.
  const size = new DataView(packed.buffer, packed.byteOffset + packed.length - GZIP_TRAILER).getUint32(0, true);
  if (size !== text.length) throw new RangeError("cut short, or followed by more");
  return text;
}

function piped(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return source.pipeThrough(through);
}

/** Returns what the stream gives, or undefined where that is over `limit` bytes; it then stops reading. */
async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > limit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

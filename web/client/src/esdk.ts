/**
 * Messages of the AWS Encryption SDK, made and read by AWS's own packages. Loaded when the first one is needed: this is
 * nine tenths of the client's size.
 *
 * What the packages leave to their caller is done here: one committing suite, one data key of the provider `aws-kms`,
 * the encryption context compared before a key is asked for and again, authenticated, before anything is released,
 * nothing behind the message. docs/decisions/33-browser-messages.md tells how a data key stays non-extractable.
 */
import { buildDecrypt } from "@aws-crypto/decrypt-browser";
import { buildEncrypt } from "@aws-crypto/encrypt-browser";
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  EncryptedDataKey,
  KeyringTraceFlag,
  KeyringWebCrypto,
  WebCryptoAlgorithmSuite,
  type WebCryptoDecryptionMaterial,
  type WebCryptoEncryptionMaterial,
} from "@aws-crypto/material-management-browser";
import { decodeBodyHeader, deserializeFactory } from "@aws-crypto/serialize";
import { DecryptionError } from "./errors.js";
import type { DataKey, EncryptionContext, UnwrapDataKey, WrappedDataKey } from "./messages.js";

const PROVIDER = "aws-kms";
/** The ARN of a key: never of an alias, through which nothing is decrypted. */
const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(?:mrk-[0-9a-f]{32}|[0-9a-f-]{36})$/;
const FORMAT_VERSION = 2;
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY; // 0x0478
/** Larger than an item: every message is one frame, which is the cheapest. */
const FRAME_LENGTH = 1024 * 1024;
const DATA_KEY_LENGTH = 32;
const OPTIONS = {
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
} as const;

const { encrypt } = buildEncrypt(OPTIONS);
const { decrypt } = buildDecrypt(OPTIONS);
const { deserializeMessageHeader } = deserializeFactory(
  (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
  WebCryptoAlgorithmSuite,
);

/** See {@link import("./messages.js").encryptMessage}. */
export async function encryptMessage(
  content: Uint8Array,
  dataKey: DataKey,
  context: EncryptionContext,
): Promise<Uint8Array<ArrayBuffer>> {
  // A copy: encrypt() reads from the start of the buffer, wherever in it `content` begins.
  const { result } = await encrypt(new Encrypting(dataKey), content.slice(), {
    suiteId: SUITE,
    encryptionContext: { ...context },
    frameLength: FRAME_LENGTH,
  });
  return result.slice();
}

/** See {@link import("./messages.js").decryptMessage}. */
export async function decryptMessage(
  bytes: Uint8Array,
  context: EncryptionContext,
  unwrap: UnwrapDataKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const message = bytes.slice();
  const { header, wrapped } = open(message);
  if (!same(header.messageHeader.encryptionContext, context)) throw new DecryptionError("context-mismatch");
  if (end(message, header) < message.length) throw new DecryptionError("trailing-bytes");
  const key = await unwrap(wrapped);
  let opened: Awaited<ReturnType<typeof decrypt>>;
  try {
    opened = await decrypt(new Decrypting(wrapped, key), message);
  } catch {
    throw new DecryptionError("not-authentic");
  }
  if (!same(opened.messageHeader.encryptionContext, context)) throw new DecryptionError("context-mismatch");
  return opened.plaintext.slice();
}

type Header = Exclude<ReturnType<typeof deserializeMessageHeader>, false>;

/** Returns what the message tells of itself; nothing of it is authenticated yet. */
function open(message: Uint8Array): { header: Header; wrapped: WrappedDataKey } {
  let header: ReturnType<typeof deserializeMessageHeader>;
  try {
    header = deserializeMessageHeader(message, { maxEncryptedDataKeys: 1 });
  } catch {
    throw new DecryptionError("unknown-form");
  }
  if (!header) throw new DecryptionError("unknown-form");
  const { version, suiteId, encryptedDataKeys } = header.messageHeader;
  if (version !== FORMAT_VERSION || suiteId !== SUITE) throw new DecryptionError("unknown-form");
  const [dataKey] = encryptedDataKeys;
  if (dataKey?.providerId !== PROVIDER) throw new DecryptionError("unknown-form");
  if (!KEY_ARN.test(dataKey.providerInfo)) throw new DecryptionError("key-not-listed");
  return { header, wrapped: { keyArn: dataKey.providerInfo, encryptedKey: dataKey.encryptedDataKey } };
}

/** Returns where the message ends by its own frames. */
function end(message: Uint8Array, header: Header): number {
  let at = header.rawHeader.byteLength + header.headerAuth.headerAuthLength;
  try {
    for (;;) {
      const frame = decodeBodyHeader(message, header, at);
      if (!frame) throw new RangeError("cut short");
      at = frame.readPos + frame.contentLength + frame.tagLength / 8;
      if (at > message.length) throw new RangeError("cut short");
      if (frame.isFinalFrame) return at;
    }
  } catch {
    throw new DecryptionError("not-authentic");
  }
}

function same(one: Readonly<EncryptionContext>, other: EncryptionContext): boolean {
  const names = Object.keys(other);
  return Object.keys(one).length === names.length && names.every((name) => one[name] === other[name]);
}

/** Gives one data key, wrapped by KMS, to encrypt with. */
class Encrypting extends KeyringWebCrypto {
  readonly #dataKey: DataKey;

  constructor(dataKey: DataKey) {
    super();
    this.#dataKey = dataKey;
    Object.freeze(this);
  }

  override async _onEncrypt(material: WebCryptoEncryptionMaterial): Promise<WebCryptoEncryptionMaterial> {
    const { key, keyArn, encryptedKey } = this.#dataKey;
    const generated = KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY;
    const trace = { keyNamespace: PROVIDER, keyName: keyArn, flags: generated };
    // The material wants bytes before it takes a wrapped key, and imports them only where it is given no CryptoKey.
    // So the bytes are random ones that nothing uses, and those of the data key are not kept.
    const unused = crypto.getRandomValues(new Uint8Array(DATA_KEY_LENGTH));
    return material
      .setUnencryptedDataKey(unused, trace)
      .addEncryptedDataKey(
        new EncryptedDataKey({ providerId: PROVIDER, providerInfo: keyArn, encryptedDataKey: encryptedKey }),
        KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_SIGNED_ENC_CTX,
      )
      .setCryptoKey(key, trace);
  }

  override async _onDecrypt(): Promise<WebCryptoDecryptionMaterial> {
    throw new TypeError("a keyring to encrypt with");
  }
}

/** Gives the data key of one message, unwrapped. */
class Decrypting extends KeyringWebCrypto {
  readonly #wrapped: WrappedDataKey;
  readonly #key: CryptoKey;

  constructor(wrapped: WrappedDataKey, key: CryptoKey) {
    super();
    this.#wrapped = wrapped;
    this.#key = key;
    Object.freeze(this);
  }

  override async _onEncrypt(): Promise<WebCryptoEncryptionMaterial> {
    throw new TypeError("a keyring to decrypt with");
  }

  override async _onDecrypt(material: WebCryptoDecryptionMaterial): Promise<WebCryptoDecryptionMaterial> {
    const flags = KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_VERIFIED_ENC_CTX;
    return material.setCryptoKey(this.#key, { keyNamespace: PROVIDER, keyName: this.#wrapped.keyArn, flags });
  }
}

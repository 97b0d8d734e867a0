/**
 * A keyring that is shown one wrap of a message alone, so that it asks no key but that wrap's own.
 */
import type { Keyring } from "@strongroom/envelope";

/** @param index of the wrap, among those of the message */
export function onlyWrap(keyring: Keyring, index: number): Keyring {
  return {
    onEncrypt: (materials, call) => keyring.onEncrypt(materials, call),
    onDecrypt: (materials, dataKeys, call) => keyring.onDecrypt(materials, dataKeys.slice(index, index + 1), call),
  };
}

import { createContext, useContext } from "react";

import type { Language, TextKey } from "./texts.js";

/** The visitor's language, and texts in it. */
export interface WordsValue {
  readonly lang: Language;
  readonly t: (key: TextKey, ...values: readonly string[]) => string;
}

export const Words = createContext<WordsValue>({ lang: "ko", t: (key) => key });

export const useWords = (): WordsValue => useContext(Words);

/** The words of the console in the language of its user. A missing key is a type error. */

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";

import { remember, remembered } from "../domain/remembered";
import { en, type Key } from "./en";
import { zh } from "./zh";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const DICTIONARIES: Record<Language, Record<Key, string>> = { en, zh };

export type Translate = (key: Key, values?: Record<string, string | number>) => string;

/** `{name}` in the text becomes values.name, `{name|one|many}` the word that goes with that number. */
export function translate(language: Language, key: Key, values: Record<string, string | number> = {}): string {
  const text: string = DICTIONARIES[language][key];
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one === undefined || many === undefined) return String(value);
    return Number(value) === 1 ? one : many;
  });
}

interface Words {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
}

const WordsContext = createContext<Words | null>(null);

function firstLanguage(): Language {
  const wanted = remembered("language") ?? navigator.language;
  return wanted.startsWith("zh") ? "zh" : "en";
}

export function WordsProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const choose = useCallback((chosen: Language) => {
    remember("language", chosen);
    setLanguage(chosen);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const words = useMemo<Words>(
    () => ({ language, setLanguage: choose, t: (key, values) => translate(language, key, values) }),
    [language, choose],
  );
  return <WordsContext.Provider value={words}>{children}</WordsContext.Provider>;
}

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (!words) throw new Error("useWords needs a WordsProvider above it");
  return words;
}

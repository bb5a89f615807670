/** What a profile may call the colour of its prompt. */
export const PROMPT_COLORS = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white', 'gray'] as const;

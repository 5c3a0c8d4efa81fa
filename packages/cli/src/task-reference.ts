/** Whether a text names a task, by its id or ARN: everything else is taken for a service. */
export const namesTask = (text: string): boolean => /^[0-9a-f]{32}$/.test(text) || /^arn:[^/]*:task\//.test(text)

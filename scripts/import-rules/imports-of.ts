import { parseSync, Visitor } from 'oxc-parser'

/** One place where a file names another module. */
export interface ModuleImport {
  /** As written; undefined where it is computed, so that no rule can be held against it. */
  readonly specifier: string | undefined
  /** Whether nothing of it is left when the types are stripped. `import { type X }` is not: it still loads the module. */
  readonly typeOnly: boolean
  /** Counted from 1. */
  readonly line: number
}

/**
 * Every import of a TypeScript source: declarations, re-exports, `import()` and `import('...').Type`.
 *
 * @throws Error when the source does not parse: a file that cannot be read must not pass for one without imports.
 */
export function importsOf(file: string, source: string): ModuleImport[] {
  const { program, errors } = parseSync(file, source)
  const [error] = errors
  if (error !== undefined) throw new Error(`${file} does not parse: ${error.message}`)

  const imports: ModuleImport[] = []
  const add = (specifier: unknown, typeOnly: boolean, offset: number) =>
    imports.push({
      specifier: typeof specifier === 'string' ? specifier : undefined,
      typeOnly,
      line: source.slice(0, offset).split('\n').length,
    })
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value, node.importKind === 'type', node.start),
    ExportAllDeclaration: (node) => add(node.source.value, node.exportKind === 'type', node.start),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) add(node.source.value, node.exportKind === 'type', node.start)
    },
    ImportExpression: (node) => add(node.source.type === 'Literal' ? node.source.value : undefined, false, node.start),
    TSImportType: (node) => add(node.source.value, true, node.start),
  }).visit(program)
  return imports
}

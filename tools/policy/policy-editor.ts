// `privity policy editor`: schemas with the words of this firm, for completion and underlines while policies are typed. It must never change what
// a policy file says.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileFormat, fileKind } from '../../src/core/file-kind.ts';
import { loadSet, POLICIES_OPTION } from '../../src/cli/policies/load.ts';
import { count } from '../../src/cli/shell/text.ts';
import { UsageError, type Verb } from '../../src/cli/shell/verb.ts';
import { firmSchemas } from './editor/firm-schemas.ts';
import { withModeline, withYamlSchemas, yamlSchemas } from './editor/settings.ts';
import { replaceFiles, type FileChange } from './format/replace-files.ts';

export const verb: Verb = {
  about: [
    'Writes JSON Schemas with the roles, actions, types, groups, terms, attributes and codes of this firm to ' +
      '.privity/schemas/ in the policies folder. An editor that reads them offers these words while you type, explains ' +
      'them, and underlines what is misspelt. Run it again when firm.yaml changes. The service reads nothing there, and ' +
      'the revision stays the same.',
    'A file whose first line names a schema keeps to that one: `--modelines` lets these lines lead to the new schemas.',
  ],
  operands: { usage: '[DIR]', min: 0, max: 1, help: 'the policies folder, instead of `--policies`' },
  options: {
    policies: POLICIES_OPTION,
    vscode: { help: 'also set `yaml.schemas` in .vscode/settings.json of the folder you are in' },
    modelines: { help: 'also change the first lines of policy files that name a schema' },
    check: { help: 'write nothing; exit code 1 where something is not up to date' },
  },
  examples: [
    { command: 'privity policy editor', does: 'the schemas of policies/' },
    {
      command: 'privity policy editor --vscode --modelines',
      does: 'all that VS Code needs, with the YAML extension of Red Hat',
    },
  ],
  async run(shell, args) {
    const [dir] = args.operands;
    if (dir !== undefined && args.text('policies') !== undefined)
      throw new UsageError('the folder is given twice', 'give it as an argument, or with `--policies`');
    const { set, folder } = await loadSet(
      shell,
      dir === undefined ? args : { ...args, text: (name) => (name === 'policies' ? dir : args.text(name)) },
    );
    const root = path.resolve(shell.folder, folder.folder);
    const changes: FileChange[] = [];
    const want = async (file: string, make: (before: string | null) => string | null): Promise<void> => {
      const before = await readFile(file).catch(() => null);
      const after = make(before === null ? null : before.toString('utf8'));
      if (after === null)
        throw new UsageError(
          `${path.relative(shell.folder, file)} is not plain JSON`,
          'add `yaml.schemas` by hand: docs/policy-tools.md shows it',
        );
      if (before === null || before.toString('utf8') !== after) changes.push({ file, before, after });
    };
    for (const [kind, schema] of firmSchemas(set))
      await want(
        path.join(root, '.privity', 'schemas', `${kind}.schema.json`),
        () => `${JSON.stringify(schema, null, 1)}\n`,
      );
    if (args.isOn('vscode')) {
      const schemas = yamlSchemas(path.relative(shell.folder, root).split(path.sep).join('/'));
      await want(path.join(shell.folder, '.vscode', 'settings.json'), (before) => withYamlSchemas(before, schemas));
    }
    if (args.isOn('modelines')) {
      for (const { path: name } of folder.files) {
        const kind = fileKind(name);
        if (kind === null || fileFormat(name) !== 'yaml') continue;
        await want(path.join(root, name), (before) => withModeline(before ?? '', name, kind));
      }
    }
    const isCheck = args.isOn('check');
    if (!isCheck) await replaceFiles(changes);
    for (const { file } of changes)
      shell.out.line(`${isCheck ? 'not up to date' : 'wrote'} ${path.relative(shell.folder, file)}`);
    if (changes.length === 0) shell.out.line('everything is up to date');
    else if (isCheck) shell.out.line(`${count(changes.length, 'file')} to write: run \`privity policy editor\``);
    return isCheck && changes.length > 0 ? 1 : 0;
  },
};

// Lints the schema, and what the clients here ask of it, with graphql-eslint's presets. With `task.wrong`
// it lints that text in the place of what is in `task.file`, by the rules for that file.
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import graphql from '@graphql-eslint/eslint-plugin';
import { task, tell } from './gateway.mjs';
import { ofRelay, ofSchema } from './rules.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const operations = [`${here}operations.graphql`, `${here}relay/*.js`];
const { configs } = graphql;

const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: true,
  overrideConfig: [
    { files: ['**/*.js'], processor: graphql.processor },
    {
      files: ['**/*.graphql'],
      plugins: { '@graphql-eslint': graphql },
      languageOptions: {
        parser: graphql.parser,
        parserOptions: {
          graphQLConfig: { schema: `${root}schema.graphql`, documents: operations },
        },
      },
    },
    {
      files: ['schema.graphql'],
      rules: {
        ...configs['flat/schema-recommended'].rules,
        ...configs['flat/schema-relay'].rules,
        ...ofSchema,
      },
    },
    {
      files: ['tests/clients/**/*.graphql'],
      rules: configs['flat/operations-recommended'].rules,
    },
    { files: ['tests/clients/relay/**/*.graphql'], rules: ofRelay },
  ],
});

await tell(async () => {
  const files = task.wrong
    ? await eslint.lintText(task.wrong, { filePath: root + task.file })
    : await eslint.lintFiles([`${root}schema.graphql`, ...operations]);
  const found = files.flatMap((file) =>
    file.messages.map(({ ruleId, line, message }) => {
      const rule = ruleId?.replace('@graphql-eslint/', '');
      return { file: file.filePath.slice(root.length), rule, line, message };
    }),
  );
  return { files: files.map((file) => file.filePath.slice(root.length)), found };
});

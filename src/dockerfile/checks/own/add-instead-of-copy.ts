import { splitInstruction } from '../../arguments.ts';
import type { Fix } from '../finding.ts';
import type { FileRule, Subject, SubjectCommand } from '../subject.ts';
import { isPlain } from './plain-add.ts';

export const addInsteadOfCopy: FileRule = {
  name: 'AddInsteadOfCopy',
  description: 'Files of the context that are no archives should be copied with COPY',
  url: 'docs/checks/add-instead-of-copy.md',
  *find(subject) {
    for (const each of subject.stages.flatMap(({ commands }) => commands)) {
      const { command, instruction } = each;
      if (command.kind !== 'add' || !isPlain(command)) continue;
      yield {
        message: 'ADD is for downloads and archives; COPY does the same for these files',
        range: instruction.range,
        comments: instruction.comments,
        fix: toCopy(subject, each),
      };
    }
  },
};

/** COPY in the keyword's own case. */
function toCopy({ ast, positions }: Subject, { instruction }: SubjectCommand): Fix {
  const { name, nameSpan } = splitInstruction(instruction.line, ast.escape);
  const text = name === 'add' ? 'copy' : name === 'Add' ? 'Copy' : 'COPY';
  return { title: 'write COPY', edits: [{ ...positions.inFile(instruction.range, nameSpan), text }] };
}

import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { asProblem } from '@/api/problem';
import { changeProject, createProject, type Project, type ProjectWords } from '@/api/projects';
import { AmountInput } from '@/ui/AmountInput';
import { nanosOf, writtenAmount } from '@/ui/amount';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { FormDialog, type FormWires } from '@/ui/FormDialog';
import { TextArea } from '@/ui/TextArea';
import { TextInput } from '@/ui/TextInput';
import styles from './ProjectDialog.module.css';

interface Props {
  open: boolean;
  /** The one to change; without it a new one is made. */
  project?: Project;
  onDone: (project: Project) => void;
  onClose: () => void;
}

const MOST_NAME = 255;

export function ProjectDialog({ open, project, onDone, onClose }: Props) {
  return (
    <FormDialog
      open={open}
      title={project ? 'Change the project' : 'New project'}
      action={project ? 'Save' : 'Create'}
      onClose={onClose}
    >
      {(wires) => <ProjectForm {...wires} project={project} onDone={onDone} />}
    </FormDialog>
  );
}

interface FormProps extends FormWires {
  project?: Project;
  onDone: (project: Project) => void;
}

function ProjectForm({ id, project, onBusy, onDone }: FormProps) {
  const [name, setName] = useState(project?.name ?? '');
  const [description, setDescription] = useState(project?.description ?? '');
  const [budget, setBudget] = useState(project?.budget.nanos ? writtenAmount(project.budget.nanos) : '');
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: (words: ProjectWords) => (project ? changeProject(project.id, words) : createProject(words)),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onSuccess: onDone,
  });
  const nanos = budget.trim() === '' ? 0 : nanosOf(budget);
  const noName = name.trim() === '' ? 'A project needs a name.' : null;
  const problem = save.error ? asProblem(save.error) : null;
  const atField = ['name', 'description', 'budget_nanos'].some((field) => problem?.of(field));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (noName || nanos === null || save.isPending) return;
    save.mutate({ name: name.trim(), description: description.trim() || null, budget_nanos: nanos });
  };
  return (
    <form id={id} onSubmit={submit} className={styles.form} noValidate>
      <Field
        label="Name"
        error={problem?.of('name') ?? (tried ? noName : null)}
        count={name.length > MOST_NAME - 55 ? { now: name.length, most: MOST_NAME } : undefined}
      >
        {(wires) => <TextInput {...wires} value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label="Description" error={problem?.of('description')}>
        {(wires) => (
          <TextArea
            {...wires}
            rows={3}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        )}
      </Field>
      <Field
        label="Budget in dollars"
        hint="What all its work may cost. Empty is no budget."
        error={
          problem?.of('budget_nanos') ?? (nanos === null ? 'Write an amount, such as 20 or 12.50.' : null)
        }
      >
        {(wires) => (
          <AmountInput {...wires} value={budget} onChange={(event) => setBudget(event.target.value)} />
        )}
      </Field>
      {problem && !atField && <ErrorCard error={problem} />}
    </form>
  );
}

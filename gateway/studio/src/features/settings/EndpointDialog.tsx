import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { asProblem } from '@/api/problem';
import { changeEndpoint, createEndpoint, type Endpoint, type EndpointRequest } from '@/api/webhooks';
import { Checks } from '@/ui/Checks';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { FormDialog, type FormWires } from '@/ui/FormDialog';
import { TextInput } from '@/ui/TextInput';
import forms from './forms.module.css';

interface Props {
  open: boolean;
  endpoint?: Endpoint;
  /** With the secret of a new one. */
  onDone: (secret: string | null) => void;
  onClose: () => void;
}

const EVENTS = [
  'generation.started',
  'generation.completed',
  'generation.failed',
  'generation.canceled',
  'generation.expired',
  'budget.alert',
];
const USUAL = EVENTS.filter((event) => event !== 'generation.started');
const FIELDS = ['url', 'events', 'description'];

export function EndpointDialog({ open, endpoint, onDone, onClose }: Props) {
  return (
    <FormDialog
      open={open}
      title={endpoint ? 'Change the endpoint' : 'New endpoint'}
      action={endpoint ? 'Save' : 'Create the endpoint'}
      onClose={onClose}
    >
      {(wires) => <EndpointForm {...wires} endpoint={endpoint} onDone={onDone} />}
    </FormDialog>
  );
}

interface FormProps extends FormWires {
  endpoint?: Endpoint;
  onDone: (secret: string | null) => void;
}

function EndpointForm({ id, endpoint, onBusy, onDone }: FormProps) {
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [events, setEvents] = useState<string[]>(endpoint?.events ?? USUAL);
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: async () => {
      const words = { url: url.trim(), events: events as EndpointRequest['events'], description };
      if (!endpoint) return (await createEndpoint({ ...words, enabled: true })).secret;
      await changeEndpoint(endpoint.id, words);
      return null;
    },
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onSuccess: onDone,
  });
  const problem = save.error ? asProblem(save.error) : null;
  const noUrl = url.trim() === '' ? 'Where should messages go?' : null;
  const noEvents = events.length === 0 ? 'Choose one at least.' : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!noUrl && !noEvents && !save.isPending) save.mutate();
  };
  return (
    <form id={id} onSubmit={submit} className={forms.form} noValidate>
      <Field label="URL" error={problem?.of('url') ?? (tried ? noUrl : null)}>
        {(wires) => (
          <TextInput
            {...wires}
            type="url"
            inputMode="url"
            placeholder="https://"
            autoComplete="off"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        )}
      </Field>
      <Checks
        label="Events"
        error={problem?.of('events') ?? noEvents}
        options={EVENTS.map((event) => ({ value: event, label: event }))}
        chosen={events}
        onChange={setEvents}
      />
      <Field label="Description" hint="It may stay empty." error={problem?.of('description')}>
        {(wires) => (
          <TextInput
            {...wires}
            maxLength={500}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        )}
      </Field>
      {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
    </form>
  );
}

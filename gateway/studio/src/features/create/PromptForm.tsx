import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Generation } from '@/api/client';
import { type NewGeneration, submit } from '@/api/generations';
import { keys } from '@/api/keys';
import { useModels } from '@/api/models';
import { asProblem } from '@/api/problem';
import { useShortcuts } from '@/keyboard/registry';
import { live } from '@/live/live';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { TextArea } from '@/ui/TextArea';
import styles from './PromptForm.module.css';

const MOST_CHARACTERS = 2000;

interface Props {
  kind: string;
  onSubmitted: (generation: Generation) => void;
}

/** A prompt, a model, and the button. */
export function PromptForm({ kind, onSubmitted }: Props) {
  const [prompt, setPrompt] = useState('');
  const [model, setModel] = useState('');
  const models = useModels(kind);
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => submit(requestOf(kind, prompt, model), crypto.randomUUID()),
    onSuccess: (generation) => {
      live.learn(generation);
      client.setQueryData(keys.generation(generation.id), generation);
      onSubmitted(generation);
    },
  });
  const ready = prompt.trim() !== '' && [...prompt].length <= MOST_CHARACTERS && !make.isPending;
  const generate = () => {
    if (ready) make.mutate();
  };
  useShortcuts('Create', [{ chord: 'Mod+Enter', label: 'Generate', inFields: true, run: generate }]);
  const problem = make.error ? asProblem(make.error) : null;
  const wrong = problem?.of('input.prompt') ?? null;
  const options = (models.data ?? []).map((one) => ({
    value: one.id,
    label: one.label,
    disabled: !one.available,
  }));
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        generate();
      }}
    >
      <Field label="Prompt" error={wrong} count={{ now: [...prompt].length, most: MOST_CHARACTERS }}>
        {(wires) => (
          <TextArea {...wires} value={prompt} onChange={(event) => setPrompt(event.target.value)} rows={5} />
        )}
      </Field>
      <Field label="Model">
        {(wires) => (
          <Select
            {...wires}
            value={model}
            onChange={setModel}
            options={[{ value: '', label: 'The best that is available' }, ...options]}
          />
        )}
      </Field>
      {problem && !wrong && <ErrorCard error={problem} />}
      <Button type="submit" look="primary" busy={make.isPending} disabled={!ready}>
        Generate
      </Button>
    </form>
  );
}

function requestOf(kind: string, prompt: string, model: string): NewGeneration {
  const request = { kind, input: { [PROMPT_FIELDS[kind] ?? 'prompt']: prompt }, ...(model && { model }) };
  return request as unknown as NewGeneration;
}

const PROMPT_FIELDS: Record<string, string> = { audio: 'text' };

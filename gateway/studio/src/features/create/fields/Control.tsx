import { Switch } from '@/ui/Switch';
import type { FormField } from '../fields';
import { ChoiceControl } from './ChoiceControl';
import type { ControlProps } from './control';
import { FileControl } from './FileControl';
import { JsonControl } from './JsonControl';
import { LanguageControl } from './LanguageControl';
import { NumberControl } from './NumberControl';
import { SeedControl } from './SeedControl';
import { SliderControl } from './SliderControl';
import { SuggestedControl } from './SuggestedControl';
import { TagsControl } from './TagsControl';
import { TextControl } from './TextControl';
import { VoiceControl } from './VoiceControl';

/** A slider over more than this is a game of patience. */
const MOST_STEPS = 1_000;

/** The control for a field, by what the schema says of it. */
export function Control(props: ControlProps) {
  const { field, value, onChange } = props;
  if (field.widget === 'language') return <LanguageControl {...props} />;
  if (field.choices.length > 0) return <ChoiceControl {...props} />;
  switch (field.widget) {
    case 'textarea':
      return <TextControl {...props} />;
    case 'slider':
      return canSlide(field) ? <SliderControl {...props} /> : <NumberControl {...props} />;
    case 'number':
      return <NumberControl {...props} />;
    case 'switch':
      return <Switch label={field.title} checked={(value ?? field.default) === true} onChange={onChange} />;
    case 'seed':
      return <SeedControl {...props} />;
    case 'file':
    case 'files':
      return <FileControl {...props} />;
    case 'recording':
      return <VoiceControl {...props} />;
    case 'tags':
      return <TagsControl {...props} />;
    case 'json':
      return <JsonControl {...props} />;
    default:
      return <SuggestedControl {...props} />;
  }
}

function canSlide(field: FormField): boolean {
  if (field.min === null || field.max === null) return false;
  return (field.max - field.min) / field.step <= MOST_STEPS;
}

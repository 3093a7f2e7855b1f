/** Fields of forms. */

import { Checkbox } from "@base-ui/react/checkbox";
import { Field } from "@base-ui/react/field";
import { NumberField } from "@base-ui/react/number-field";
import { Check, Minus, Plus } from "lucide-react";
import type { ReactNode } from "react";

interface NumberInputProps {
  label: string;
  value: number | null;
  change: (value: number | null) => void;
  min: number;
  max: number;
  help?: ReactNode;
  placeholder?: string;
}

export function NumberInput({ label, value, change, min, max, help, placeholder }: NumberInputProps) {
  return (
    <Field.Root className="field">
      <NumberField.Root value={value} onValueChange={change} min={min} max={max} step={1} largeStep={10}>
        <Field.Label>{label}</Field.Label>
        <NumberField.Group className="number">
          <NumberField.Decrement className="step" aria-label={`Less: ${label}`}>
            <Minus aria-hidden size={14} />
          </NumberField.Decrement>
          <NumberField.Input className="input" placeholder={placeholder} />
          <NumberField.Increment className="step" aria-label={`More: ${label}`}>
            <Plus aria-hidden size={14} />
          </NumberField.Increment>
        </NumberField.Group>
      </NumberField.Root>
      {help && <Field.Description className="soft small">{help}</Field.Description>}
    </Field.Root>
  );
}

interface CheckInputProps {
  label: string;
  checked: boolean;
  change: (checked: boolean) => void;
  help?: ReactNode;
}

export function CheckInput({ label, checked, change, help }: CheckInputProps) {
  return (
    <Field.Root className="check">
      <Field.Label>
        <Checkbox.Root className="box" checked={checked} onCheckedChange={change}>
          <Checkbox.Indicator>
            <Check aria-hidden size={14} strokeWidth={3} />
          </Checkbox.Indicator>
        </Checkbox.Root>
        <span>{label}</span>
      </Field.Label>
      {help && <Field.Description className="soft small">{help}</Field.Description>}
    </Field.Root>
  );
}

interface TextInputProps {
  label: string;
  value: string;
  change: (value: string) => void;
  help?: ReactNode;
}

export function TextInput({ label, value, change, help }: TextInputProps) {
  return (
    <Field.Root className="field">
      <Field.Label>{label}</Field.Label>
      <Field.Control className="input" value={value} onValueChange={change} autoComplete="off" maxLength={256} />
      {help && <Field.Description className="soft small">{help}</Field.Description>}
    </Field.Root>
  );
}

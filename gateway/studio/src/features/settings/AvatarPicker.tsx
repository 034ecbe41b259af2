import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import type { User } from '@/api/client';
import { keys } from '@/api/keys';
import { uploadPicture } from '@/api/pictures';
import { changeProfile } from '@/api/profile';
import { Avatar } from '@/ui/Avatar';
import { Button } from '@/ui/Button';
import { sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';

/** One's picture; it is kept as a file of the library. */
export function AvatarPicker({ user }: { user: User }) {
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const change = useMutation({
    mutationFn: async (file: File | null) =>
      changeProfile({ avatar_url: file && (await uploadPicture(file)) }),
    onSuccess: (changed) => client.setQueryData(keys.me, changed),
    onError: sayProblem,
  });
  return (
    <div className={forms.row}>
      <Avatar name={user.name} url={user.avatar_url} size={56} />
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        aria-label="Picture of you"
        hidden
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) change.mutate(file);
        }}
      />
      <Button busy={change.isPending} onClick={() => input.current?.click()}>
        {user.avatar_url ? 'Change the picture' : 'Choose a picture'}
      </Button>
      {user.avatar_url && (
        <Button look="quiet" disabled={change.isPending} onClick={() => change.mutate(null)}>
          Remove
        </Button>
      )}
    </div>
  );
}

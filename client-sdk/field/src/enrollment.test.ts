import { expect, test } from 'vitest';
import { codeIn, readInvitation } from './enrollment';

test('a code is read however it is typed', () => {
  for (const typed of ['K7WQ-2M4P-AB3C', 'k7wq 2m4p ab3c', ' k7wq2m4pab3c\n'])
    expect(codeIn(typed)).toBe('K7WQ-2M4P-AB3C');
  for (const wrong of ['', 'K7WQ-2M4P', 'K7WQ-2M4P-AB3C-D', 'К7WQ-2M4P-AB3C'])
    expect(codeIn(wrong), wrong).toBeNull();
});

test('a picture of something else is no invitation', () => {
  expect(readInvitation('https://hq.example/field/#code=K7WQ-2M4P-AB3C')).toEqual({
    server: 'https://hq.example',
    code: 'K7WQ-2M4P-AB3C',
  });
  // A browser cannot be held to a certificate: what a server is known by is for other devices.
  expect(readInvitation('https://hq.example/field/#code=K7WQ-2M4P-AB3C&fingerprint=abab')).toEqual({
    server: 'https://hq.example',
    code: 'K7WQ-2M4P-AB3C',
  });
  expect(readInvitation('K7WQ2M4PAB3C')).toEqual({ server: null, code: 'K7WQ-2M4P-AB3C' });
  const others = [
    'https://hq.example/field/',
    'https://hq.example/field/?code=K7WQ-2M4P-AB3C',
    'javascript:alert(1)#code=K7WQ-2M4P-AB3C',
    'WIFI:S:home;T:WPA;P:secret;;',
    'x'.repeat(5_000),
    '',
  ];
  for (const other of others) expect(readInvitation(other), other.slice(0, 40)).toBeNull();
});

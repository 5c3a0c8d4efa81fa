import { isIP } from 'node:net'
import type { Kind } from '@berth/shared/config/setting.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `host:port`; IPv6 in brackets; an empty host for all addresses. */
export const listenAddress: Kind<ListenAddress> = {
  form: '`host:port`',
  not: 'host:port, such as 127.0.0.1:4566',
  read: (value) => {
    const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:/[\]]*)):(\d{1,5})$/.exec(value) ?? []
    const port = Number(digits)
    return digits === undefined || port > 65_535 ? undefined : { host: bracketed ?? plain ?? '', port }
  },
}

export const twelveDigits: Kind<string> = {
  form: 'twelve digits',
  not: 'an account number of twelve digits',
  read: (value) => (/^\d{12}$/.test(value) ? value : undefined),
}

/** Names and IP addresses of a certificate, separated by commas; may be empty. */
export const nameList: Kind<readonly string[]> = {
  form: 'names, separated by commas',
  not: 'a list of names or IP addresses, separated by commas',
  read: (value) => {
    const names = value.split(',').map((name) => name.trim())
    if (value === '') return []
    return names.every((name) => isIP(name) !== 0 || /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/.test(name))
      ? names
      : undefined
  },
}

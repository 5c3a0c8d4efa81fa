import { shortName } from '@berth/shared/arn.ts'
import type { HostRecord } from '../../cell/records.ts'
import { ZONE_ATTRIBUTE } from '../../scheduler/host-description.ts'
import { invalidParameter } from '../errors.ts'

/** What a host is called, by all who may ask. */
export interface HostLabel {
  /** The name that its owner gave it (attribute `berth.host`), else the container instance's id. */
  readonly name: string
  readonly containerInstanceArn: string
  readonly ec2InstanceId: string
  readonly zone: string
}

/** The attribute in which a host has the name that its owner gave it. */
const nameAttribute = 'berth.host'

const attributeOf = (host: HostRecord, wanted: string): string | undefined =>
  host.attributes.find(({ name }) => name === wanted)?.value

export const hostLabel = (host: HostRecord): HostLabel => ({
  name: attributeOf(host, nameAttribute) ?? host.id,
  containerInstanceArn: host.arn,
  ec2InstanceId: host.ec2InstanceId,
  zone: attributeOf(host, ZONE_ATTRIBUTE) ?? '',
})

/** A host that is not there any more is called by its id. */
export const hostLabelOf = (host: HostRecord | undefined, id: string): HostLabel =>
  host === undefined ? { name: id, containerInstanceArn: '', ec2InstanceId: '', zone: '' } : hostLabel(host)

/**
 * The host that is meant by its name, its container instance's id or ARN, or its EC2 instance id.
 *
 * @throws InvalidParameterException when none is, or more than one.
 */
export function hostNamed(hosts: Iterable<HostRecord>, text: string): HostRecord {
  const id = shortName(text)
  const found = Array.from(hosts).filter(
    (host) =>
      host.status !== 'INACTIVE' && [host.id, host.ec2InstanceId, attributeOf(host, nameAttribute)].includes(id),
  )
  const [host] = found
  if (host === undefined) throw invalidParameter(`There is no host ${text} in the cluster.`)
  if (found.length > 1) throw invalidParameter(`There are ${found.length} hosts called ${text}; name one by its id.`)
  return host
}

/** The attributes by which a host on this machine is told from the others, in `berth status` and placement constraints. */
export const hostNameAttribute = 'berth.host'
export const hostAddressAttribute = 'berth.address'

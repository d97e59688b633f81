import { BlockList, isIP } from 'node:net'

const subnets = (type: 'ipv4' | 'ipv6', ranges: string[]): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, prefix] = range.split('/')
    list.addSubnet(address as string, Number(prefix), type)
  }
  return list
}

/** IPv4 that is not the public internet (IANA special-purpose registry); cloud metadata sits in 169.254/16. */
const closed4 = subnets('ipv4', [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])

/** IPv6: only global unicast is open, and of that not what carries an IPv4 address inside or is for documentation. */
const global6 = subnets('ipv6', ['2000::/3'])
const closed6 = subnets('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '2620:4f:8000::/48'])

/** Whether an address is one on the public internet. Whatever is not plainly so, is not. */
export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !closed4.check(address, 'ipv4')
  if (family === 6 && !address.includes('%')) return global6.check(address, 'ipv6') && !closed6.check(address, 'ipv6')
  return false
}

//! The search tree of a database: bits of an address lead from node to node, and at last to a record.

use std::net::IpAddr;

/// How a tree is laid out; its bytes are the first ones of the file.
#[derive(Clone, Debug)]
pub struct Tree {
    /// How many nodes there are. A node with this number leads nowhere, one with a greater number to a record.
    node_count: usize,
    /// The bytes of a node, which has two records: 6, 7 or 8.
    node_size: usize,
    /// Whether it has IPv6 addresses, too.
    has_ipv6: bool,
    /// Where each first byte of an IPv4 address leads. It saves most look-ups a third of their steps, each of which waits for the one
    /// before.
    ipv4_starts: Box<[u32; 256]>,
}

/// The zero bytes between the tree and the records; numbers of records count them.
pub const SEPARATOR: usize = 16;

impl Tree {
    /// The tree that these numbers of the metadata describe, in the first bytes of `bytes`; `None` where it is not there.
    pub fn new(bytes: &[u8], node_count: u64, record_size: u64, ip_version: u64) -> Option<Tree> {
        if !matches!(record_size, 24 | 28 | 32) || !matches!(ip_version, 4 | 6) || node_count == 0 {
            return None;
        }
        let (node_count, node_size) = (usize::try_from(node_count).ok()?, record_size as usize / 4);
        let mut tree = Tree { node_count, node_size, has_ipv6: ip_version == 6, ipv4_starts: Box::new([0; 256]) };
        if node_count.checked_mul(node_size)?.checked_add(SEPARATOR)? > bytes.len() {
            return None;
        }
        // They are in ::/96.
        let start = if tree.has_ipv6 { tree.walk(bytes, tree.walk(bytes, 0, 0, 64), 0, 32) } else { 0 };
        // A record has at most 32 bits.
        tree.ipv4_starts = Box::new(std::array::from_fn(|byte| tree.walk(bytes, start, (byte as u64) << 56, 8) as u32));
        Some(tree)
    }

    /// Its bytes.
    pub fn length(&self) -> usize {
        self.node_count * self.node_size
    }

    /// Where the record of an address is, from the first record on; `None` where it has none.
    pub fn find(&self, bytes: &[u8], address: IpAddr) -> Option<usize> {
        let end = match address {
            IpAddr::V4(ip) => {
                let [first, ..] = ip.octets();
                self.walk(bytes, self.ipv4_starts[usize::from(first)] as usize, u64::from(u32::from(ip)) << 40, 24)
            }
            IpAddr::V6(ip) if self.has_ipv6 => {
                let bits = u128::from(ip);
                self.walk(bytes, self.walk(bytes, 0, (bits >> 64) as u64, 64), bits as u64, 64)
            }
            IpAddr::V6(_) => return None,
        };
        // Where the bits end inside the tree, and where nothing is known, the number is too small.
        end.checked_sub(self.node_count + SEPARATOR)
    }

    /// The number reached from `start` by the first `count` bits. A number that is no node's stays as it is.
    fn walk(&self, bytes: &[u8], start: usize, bits: u64, count: u32) -> usize {
        let nodes = &bytes[..self.length().min(bytes.len())];
        match self.node_size {
            6 => walk_nodes::<6>(
                nodes.as_chunks().0,
                start,
                bits,
                count,
                |word, is_right| {
                    if is_right { word & 0xff_ffff } else { word >> 8 }
                },
            ),
            // The byte in the middle has the highest bits of both.
            7 => walk_nodes::<7>(nodes.as_chunks().0, start, bits, count, |word, is_right| {
                if is_right { word & 0xfff_ffff } else { word >> 8 | (word & 0xf0) << 20 }
            }),
            _ => walk_nodes::<8>(nodes.as_chunks().0, start, bits, count, |word, _| word),
        }
    }
}

/// The same for nodes of `N` bytes. `record` takes a record from the four bytes that contain it: the node's first four for the left
/// record, its last four for the right one.
fn walk_nodes<const N: usize>(
    nodes: &[[u8; N]],
    start: usize,
    mut bits: u64,
    count: u32,
    record: impl Fn(u32, bool) -> u32,
) -> usize {
    let mut node = start;
    for _ in 0..count {
        // What is no node is a record, or nothing.
        let Some(place) = nodes.get(node) else { break };
        let is_right = bits >> 63 == 1;
        let (left, right) = (place.first_chunk(), place.last_chunk());
        let Some(&word) = (if is_right { right } else { left }) else { break };
        node = record(u32::from_be_bytes(word), is_right) as usize;
        bits <<= 1;
    }
    node
}

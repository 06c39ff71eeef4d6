//! A worker on each CPU, and to each worker the connections that arrive on its CPU: a request is served where its packets are,
//! and no CPU waits for another. Right only with a worker on every CPU, and where packets arrive on all of them.

use mio::net::TcpListener;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::socket::{setsockopt, sockopt::AttachReusePortCbpf};
use nix::unistd::Pid;
use std::io;

/// The calling thread, to the kernel.
const THIS: Pid = Pid::from_raw(0);

/// The CPUs that this process may use, in ascending order.
///
/// # Errors
/// The kernel's: EINVAL if it has more CPUs than a [`CpuSet`] holds.
pub fn usable() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(THIS)?;
    Ok((0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect())
}

/// Has the calling thread run on this CPU alone.
///
/// # Errors
/// The kernel's.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(THIS, &set)?)
}

/// Tries [`pin`] for each of these, before a supervisor is told that this server is ready: a service manager may forbid it. Puts the
/// calling thread back.
///
/// # Errors
/// The kernel's; then the calling thread may stay pinned.
pub fn try_pinning(cpus: &[usize]) -> io::Result<()> {
    let before = sched_getaffinity(THIS)?;
    cpus.iter().try_for_each(|&cpu| pin(cpu))?;
    Ok(sched_setaffinity(THIS, &before)?)
}

/// Has the kernel give each connection to the worker of the CPU that its SYN is handled on (SO_ATTACH_REUSEPORT_CBPF,
/// socket(7)), for all listeners that share the address of this one. `cpus`: one for each of them, in the order in which they
/// began to listen. What arrives on another CPU, one that this process may not use, is spread over them.
///
/// # Errors
/// The kernel's.
pub fn steer(listener: &TcpListener, cpus: &[usize]) -> io::Result<()> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const SKIP_UNLESS_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const REMAINDER: u32 = libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    const RETURN_LOADED: u32 = libc::BPF_RET | libc::BPF_A;
    let step = |code: u32, skip: u8, value: usize| libc::sock_filter { code: code as u16, jt: 0, jf: skip, k: value as u32 };
    let this_cpu = (libc::SKF_AD_OFF + libc::SKF_AD_CPU) as usize;
    let mut program = vec![step(LOAD, 0, this_cpu)];
    for (index, &cpu) in cpus.iter().enumerate() {
        program.extend([step(SKIP_UNLESS_EQUAL, 1, cpu), step(RETURN, 0, index)]);
    }
    program.extend([step(REMAINDER, 0, cpus.len()), step(RETURN_LOADED, 0, 0)]);
    let len = program.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(setsockopt(listener, AttachReusePortCbpf, &libc::sock_fprog { len, filter: program.as_mut_ptr() })?)
}

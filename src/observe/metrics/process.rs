//! What the kernel tells of this process; asked for at each scrape, so what is not asked for costs nothing.

use nix::sys::resource::{Resource, getrlimit};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, fs};

/// Before Linux 6.2 open descriptors are counted one by one, a microsecond each, and meanwhile nobody is answered. Where there are more
/// than this, 50 ms, nothing is told of them.
const COUNTED_MAX: usize = 50_000;

/// What does not change.
#[derive(Debug)]
pub(super) struct Process {
    /// Since 1970; `None` where the kernel does not tell.
    pub(super) started: Option<Seconds>,
}

/// A time in hundredths of a second: no kernel tells more, and floating point would cost 20 kB of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds {
    hundredths: u64,
}

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.hundredths / 100, self.hundredths % 100)
    }
}

/// What does; each is `None` where the kernel does not tell.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// User and system time.
    pub(super) cpu: Option<Seconds>,
    /// Bytes.
    pub(super) virtual_memory: Option<u64>,
    /// Bytes.
    pub(super) resident_memory: Option<u64>,
    pub(super) open_descriptors: Option<usize>,
    /// The soft limit.
    pub(super) descriptors_max: Option<u64>,
    /// The soft limit, in bytes; the greatest number where there is none.
    pub(super) virtual_memory_max: Option<u64>,
}

impl Process {
    pub(super) fn new() -> Process {
        let started = || {
            let stat = Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)?;
            // Not from /proc/stat, which a sandbox hides (ProcSubset=pid).
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            let up = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
            let boot = u64::try_from(now.checked_sub(up)?.as_millis() / 10).ok()?;
            Some(Seconds { hundredths: boot + seconds(stat.started)?.hundredths })
        };
        Process { started: started() }
    }
}

impl Figures {
    pub(super) fn now() -> Figures {
        let stat = fs::read_to_string("/proc/self/stat").ok().and_then(|text| Stat::parse(&text));
        let stat = stat.as_ref();
        let soft = |resource| getrlimit(resource).ok().map(|(soft, _)| soft);
        Figures {
            cpu: stat.and_then(|stat| seconds(stat.cpu)),
            virtual_memory: stat.map(|stat| stat.virtual_memory),
            resident_memory: stat.and_then(|stat| Some(stat.resident_pages * system(SysconfVar::PAGE_SIZE)?)),
            open_descriptors: open_descriptors(),
            descriptors_max: soft(Resource::RLIMIT_NOFILE),
            virtual_memory_max: soft(Resource::RLIMIT_AS),
        }
    }
}

/// The fields of proc_pid_stat(5) that count here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    /// Ticks, of user and system.
    cpu: u64,
    /// Ticks since the boot.
    started: u64,
    /// Bytes.
    virtual_memory: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The second field is the program's name in parentheses, in which there may be anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // They are numbered from 1, and the first one here is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat { cpu: field(14)? + field(15)?, started: field(22)?, virtual_memory: field(23)?, resident_pages: field(24)? })
    }
}

fn seconds(ticks: u64) -> Option<Seconds> {
    Some(Seconds { hundredths: ticks * 100 / system(SysconfVar::CLK_TCK)? })
}

fn system(variable: SysconfVar) -> Option<u64> {
    sysconf(variable).ok().flatten().and_then(|value| value.try_into().ok()).filter(|&value| value > 0)
}

fn open_descriptors() -> Option<usize> {
    const FOLDER: &str = "/proc/self/fd";
    // Since Linux 6.2 the folder's size is their number.
    match fs::metadata(FOLDER).ok()?.len() {
        0 => count(FOLDER),
        size => size.try_into().ok(),
    }
}

/// The entries of a folder of descriptors, less the one through which it is read.
fn count(folder: &str) -> Option<usize> {
    let count = fs::read_dir(folder).ok()?.take(COUNTED_MAX + 1).count();
    (count <= COUNTED_MAX).then(|| count.saturating_sub(1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_stat() {
        let text =
            "42 (a) S 1 (b)) S 1 42 42 0 -1 4194560 500 0 3 0 123 45 0 0 20 0 2 0 98765 1048576 300 18446744073709551615 1 1 0";
        let expected = Stat { cpu: 168, started: 98765, virtual_memory: 1_048_576, resident_pages: 300 };
        assert_eq!(Stat::parse(text), Some(expected));
        for text in ["", "1 (a", "1 (a) S 1 2", "1 (a) S 1 42 42 0 -1 4194560 500 0 3 0 x 45 0 0 20 0 2 0 98765 1048576 300"] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn this_process() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let started = Process::new().started.unwrap().hundredths / 100;
        // The kernel's idea of when it was booted wanders by a second.
        assert!(started <= now + 2 && now.saturating_sub(started) < 3600, "{started} {now}");
        let figures = Figures::now();
        assert!(figures.cpu.unwrap().hundredths < 360_000);
        assert_eq!(Seconds { hundredths: 100_205 }.to_string(), "1002.05");
        assert!(figures.resident_memory < figures.virtual_memory && figures.resident_memory > Some(100_000));
        assert!(figures.open_descriptors.unwrap() as u64 <= figures.descriptors_max.unwrap());
        assert!(figures.virtual_memory_max >= figures.virtual_memory);
    }

    /// Both ways to count them say the same, but for what other tests open meanwhile.
    #[test]
    fn descriptors_are_counted_one_by_one_where_the_kernel_has_no_number() {
        let held: Vec<_> = (0..200).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let (told, counted) = (open_descriptors().unwrap(), count("/proc/self/fd").unwrap());
        assert!(told >= held.len() && counted >= held.len() && told.abs_diff(counted) < held.len(), "{told} {counted}");
        assert_eq!(count("/no/such/folder"), None);
    }
}

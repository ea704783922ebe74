//! What processes use, out of /proc; their sockets, out of `ss`.

use std::collections::HashMap;
use std::fs;

use rustix::param::clock_ticks_per_second;

/// The process and everything below it.
#[must_use]
pub fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all_pids() {
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children.get(&pid).into_iter().flatten());
        next += 1;
    }
    found
}

fn all_pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

struct Stat {
    parent: u32,
    own_ticks: u64,
    reaped_ticks: u64,
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, behind_name) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: ticks(11)? + ticks(12)?,
        reaped_ticks: ticks(13)? + ticks(14)?,
    })
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second() as f64
}

/// CPU seconds (utime + stime, all threads) that the process and everything below it has used. What
/// has ended and was waited for counts too.
#[must_use]
pub fn cpu_of_tree(root: u32) -> f64 {
    tree(root).into_iter().filter_map(stat).map(|stat| seconds(stat.own_ticks + stat.reaped_ticks)).sum()
}

/// CPU seconds of one thread of this process.
#[must_use]
pub fn cpu_of_thread(thread: u32) -> f64 {
    fs::read_to_string(format!("/proc/self/task/{thread}/stat"))
        .ok()
        .and_then(|text| parse_stat(&text))
        .map_or(0.0, |stat| seconds(stat.own_ticks))
}

/// CPU seconds of this process, without its children.
#[must_use]
pub fn cpu_of_self() -> f64 {
    stat(std::process::id()).map_or(0.0, |stat| seconds(stat.own_ticks))
}

/// Resident memory (VmRSS) in bytes of the process and everything below it.
#[must_use]
pub fn memory_of_tree(root: u32) -> u64 {
    tree(root).into_iter().filter_map(resident).sum()
}

fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    kibibytes(&text, "VmRSS:")
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|number| number * 1024)
}

/// Kernel memory of this machine in bytes that sockets use: slabs, and the pages of TCP buffers. Both
/// ends of a connection over loopback are in it.
#[must_use]
pub fn kernel_memory() -> u64 {
    let slab = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes(&text, "Slab:"));
    let pages = fs::read_to_string("/proc/net/sockstat").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("TCP:"))?.to_owned();
        line.rsplit_once("mem ")?.1.trim().parse::<u64>().ok()
    });
    slab.unwrap_or(0) + pages.unwrap_or(0) * 4096
}

/// Bytes of kernel memory that wait in the send queues of the server at `port` for clients at
/// `client_ports`: `w` of `skmem`, as `ss` prints it.
///
/// # Errors
/// `ss` could not be run.
pub async fn send_queues(port: u16, client_ports: &[u16]) -> anyhow::Result<u64> {
    let output = tokio::process::Command::new("ss")
        .args(["-tmnHO", "state", "all", &format!("sport = :{port}")])
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| send_queue(line, client_ports)).sum())
}

fn send_queue(line: &str, client_ports: &[u16]) -> Option<u64> {
    let peer = line.split_ascii_whitespace().filter_map(|word| word.rsplit_once(':')).nth(1)?;
    if !client_ports.contains(&peer.1.parse().ok()?) {
        return None;
    }
    let (_, skmem) = line.split_once("skmem:(")?;
    skmem.split(')').next()?.split(',').find_map(|field| field.strip_prefix('w')?.parse().ok())
}

/// Connections that stand and whose local port is this one.
#[must_use]
pub fn established(port: u16) -> usize {
    let text = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    text.lines().filter(|line| is_established(line, port)).count()
}

fn is_established(line: &str, port: u16) -> bool {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1).and_then(|address| address.rsplit_once(':'));
    let state = fields.nth(1);
    state == Some("01") && local.is_some_and(|(_, hex)| u16::from_str_radix(hex, 16) == Ok(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_names_with_spaces_and_brackets() {
        let stat = parse_stat("12 (a) b) S 7 1 1 0 -1 4194560 1 2 3 4 50 25 4 6 20 0 1").expect("a process");
        assert_eq!((stat.parent, stat.own_ticks, stat.reaped_ticks), (7, 75, 10));
    }

    #[test]
    fn a_send_queue_is_found_by_the_client_s_port() {
        let line = "ESTAB 0 87040 127.0.0.1:4000 127.0.0.1:51000 skmem:(r0,rb131072,t0,tb131072,f3840,w127232,o0,bl0,d0)";
        assert_eq!(send_queue(line, &[51000]), Some(127_232));
        assert_eq!(send_queue(line, &[51001]), None);
    }

    #[test]
    fn a_connection_that_stands_is_told_from_others() {
        let line = "   1: 0100007F:0FA0 0100007F:C738 01 00000000:00000000 00:00000000 00000000 0 0 1 1";
        assert!(is_established(line, 4000));
        assert!(!is_established(line, 4001));
        assert!(!is_established(&line.replace(" 01 ", " 06 "), 4000));
    }

    #[test]
    fn this_process_has_memory_and_children() {
        assert!(memory_of_tree(std::process::id()) > 0);
        assert_eq!(tree(std::process::id()).first(), Some(&std::process::id()));
    }
}

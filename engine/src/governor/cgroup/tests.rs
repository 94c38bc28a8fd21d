//! Six layouts as trees of files, and this machine as it is.

use super::*;

const MIB: u64 = 1 << 20;

/// A tree that stands for a machine.
struct Tree(tempfile::TempDir);

impl Tree {
    /// With those memberships and mounts.
    fn new(cgroup: &str, mountinfo: &str) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.write("proc/self/cgroup", cgroup);
        tree.write("proc/self/mountinfo", mountinfo);
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn version_1(&self, folder: &str, limit: u64, around: u64) {
        let at = |name: &str| format!("sys/fs/cgroup/memory{folder}/{name}");
        self.write(&at("memory.limit_in_bytes"), &format!("{limit}\n"));
        self.write(&at("memory.usage_in_bytes"), &format!("{}\n", 90 * MIB));
        let stat = format!(
            "cache 1\nactive_file 7\nhierarchical_memory_limit {around}\ntotal_active_file {}\ntotal_inactive_file {}\n\
             total_mapped_file {}\n",
            20 * MIB,
            30 * MIB,
            10 * MIB
        );
        self.write(&at("memory.stat"), &stat);
    }

    fn version_2(&self, folder: &str, limit: &str, used: u64) {
        let at = |name: &str| format!("sys/fs/cgroup{folder}/{name}");
        self.write(&at("memory.max"), &format!("{limit}\n"));
        self.write(&at("memory.current"), &format!("{used}\n"));
        let stat = format!("anon 1\nfile_mapped {}\ninactive_file {}\nactive_file {}\n", 10 * MIB, 30 * MIB, 20 * MIB);
        self.write(&at("memory.stat"), &stat);
    }

    fn groups(&self) -> Option<Groups> {
        Groups::of_process(self.0.path())
    }

    #[track_caller]
    fn check(&self, limit_mib: u64, needed_mib: u64) {
        let groups = self.groups().unwrap();
        let usage = Usage { limit_bytes: limit_mib * MIB, needed_bytes: needed_mib * MIB };
        assert_eq!((groups.limit_bytes(), groups.usage()), (Some(limit_mib * MIB), Some(usage)), "{groups:?}");
    }
}

const UNLIMITED_1: u64 = 9_223_372_036_854_771_712;
const MOUNT_1: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n";
const MOUNT_2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

#[test]
fn without_groups_there_is_no_limit() {
    assert_eq!(Tree::new("", "").groups(), None);
    assert_eq!(Tree::new("0::/\n", "22 1 0:20 / /proc rw - proc proc rw\n").groups(), None);
    let tree = Tree::new("0::/\n", MOUNT_2);
    tree.write("proc/meminfo", "MemTotal:  1000 kB\nMemFree:  1 kB\nMemAvailable:  400 kB\n");
    assert_eq!(tree.groups(), None, "the root of version 2 accounts nothing");
    let usage = Usage { limit_bytes: 1_024_000, needed_bytes: 600 << 10 };
    assert_eq!(machine_usage(tree.0.path()), Some(usage));
}

#[test]
fn version_1_seen_from_its_own_root() {
    let mount = "35 31 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let tree = Tree::new("4:cpu:/docker/ab\n3:memory:/docker/ab\n", mount);
    tree.version_1("", 100 * MIB, UNLIMITED_1);
    tree.check(100, 50);
    tree.version_1("", UNLIMITED_1, 80 * MIB);
    tree.check(80, 50);
}

#[test]
fn version_1_nested() {
    let tree = Tree::new("5:hugetlb,memory:/a/b\n", MOUNT_1);
    tree.version_1("", UNLIMITED_1, UNLIMITED_1);
    tree.version_1("/a", 70 * MIB, 70 * MIB);
    tree.version_1("/a/b", 100 * MIB, 70 * MIB);
    tree.check(70, 50);
}

#[test]
fn hybrid_accounts_in_version_1() {
    let unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let tree = Tree::new("4:memory:/a\n0::/\n", &format!("{MOUNT_1}{unified}"));
    tree.version_1("/a", 100 * MIB, 100 * MIB);
    tree.check(100, 50);
}

#[test]
fn version_2() {
    let tree = Tree::new("0::/system.slice/thicket.service\n", MOUNT_2);
    tree.version_2("/system.slice", "max", 500 * MIB);
    tree.version_2("/system.slice/thicket.service", &(100 * MIB).to_string(), 90 * MIB);
    tree.check(100, 50);
    tree.write(
        "sys/fs/cgroup/system.slice/thicket.service/memory.pressure",
        "some avg10=9.00 avg60=1\nfull avg10=2.50 avg60=0\n",
    );
    assert_eq!(tree.groups().unwrap().stalled_percent(tree.0.path()), Some(2.5));
}

#[test]
fn version_2_with_less_further_out() {
    let tree = Tree::new("0::/pod/container\n", MOUNT_2);
    tree.version_2("/pod", &(60 * MIB).to_string(), 95 * MIB);
    tree.version_2("/pod/container", "max", 90 * MIB);
    tree.check(60, 55);
    tree.write("proc/pressure/memory", "some avg10=0.00\nfull avg10=0.25 avg60=0\n");
    assert_eq!(tree.groups().unwrap().stalled_percent(tree.0.path()), Some(0.25));
}

#[test]
fn a_group_that_cannot_be_seen_is_the_nearest_that_can() {
    let tree = Tree::new("0::/../other\n", MOUNT_2);
    tree.version_2("", &(100 * MIB).to_string(), 90 * MIB);
    tree.check(100, 50);
}

#[test]
fn this_machine_has_an_answer() {
    let root = Path::new("/");
    let usage = Groups::of_process(root).and_then(|groups| groups.usage()).or_else(|| machine_usage(root)).unwrap();
    assert!(usage.limit_bytes > MIB && usage.needed_bytes > 0, "{usage:?}");
}

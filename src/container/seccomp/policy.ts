import type { Capability } from '../capabilities.ts';

/** What an argument of a call must be. All are unsigned; `argument` counts from 0. */
export type ArgumentTest =
  | { readonly argument: number; readonly is: 'equal'; readonly value: bigint }
  | { readonly argument: number; readonly is: 'masked'; readonly mask: bigint; readonly value: bigint }
  /**
   * The low 32 bits are none of these. For an `int`: the kernel drops the upper half, so a policy that compares all 64 bits
   * (as docker's does) lets `socket(1 << 32 | AF_ALG)` through.
   */
  | { readonly argument: number; readonly is: 'intNoneOf'; readonly values: readonly number[] };

/** Some calls, and when they may be made. What no rule names fails with EPERM. */
export interface PolicyRule {
  readonly calls: string;
  /** Only for a container that holds this capability. */
  readonly holding?: Capability;
  /** Only for a container that lacks it. */
  readonly lacking?: Capability;
  /** Only on these machines. */
  readonly machines?: readonly ('x64' | 'arm64')[];
  /** Alternatives; one must hold. */
  readonly tests?: readonly ArgumentTest[];
  /** Instead of being allowed the call fails with this error number. */
  readonly errno?: number;
}

const ENOSYS = 38;
const AF_ALG = 38; // the kernel's crypto, CVE-2026-31431
const AF_VSOCK = 40; // the hypervisor, outside of every network namespace
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} */
const newNamespaces = 0x7e020000n;
/** PER_LINUX, PER_LINUX32, UNAME26, both, and the question for the present one. */
const personalities = [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn];

/** Calls that every container may make, by what they are about. */
const always = {
  files: `access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64
    fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents
    getdents64 ioctl lchown lchown32 link linkat _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat
    name_to_handle_at newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
    readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs
    statfs64 statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime
    utimensat utimensat_time64 utimes vmsplice write writev`,
  attributes: `fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`,
  waiting: `epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
    eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect poll ppoll
    ppoll_time64 pselect6 pselect6_time64 select`,
  asynchronous: 'io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit',
  memory: `brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2
    mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages`,
  processes: `execve execveat exit exit_group fork getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid
    gettid ioprio_get ioprio_set pidfd_open prctl prlimit64 process_mrelease process_vm_readv process_vm_writev ptrace
    rseq setpgid setpriority setrlimit setsid set_tid_address ugetrlimit vfork wait4 waitid waitpid`,
  threads: `futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area
    set_robust_list set_thread_area`,
  scheduling: `getcpu sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
    sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
    sched_setparam sched_setscheduler sched_yield`,
  signals: `kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4
    sigprocmask sigreturn tgkill tkill`,
  time: `adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
    clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64 times`,
  users: `capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32
    getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32
    setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64
    recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair`,
  messages: `ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
    mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`,
  machine: `getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self listmount riscv_hwprobe seccomp
    statmount sysinfo uname uretprobe`,
};

/**
 * Docker's default policy (moby/profiles, seccomp/default.json, June 2026) for the machines that the tables in
 * `numbers.ts` know, in our own form; `socket` is stricter, see `intNoneOf`.
 */
export const dockerPolicy: readonly PolicyRule[] = [
  ...Object.values(always).map((calls) => ({ calls })),
  { calls: 'socket', tests: [{ argument: 0, is: 'intNoneOf', values: [AF_ALG, AF_VSOCK] }] },
  { calls: 'personality', tests: personalities.map((value) => ({ argument: 0, is: 'equal', value })) },
  { calls: 'arch_prctl modify_ldt', machines: ['x64'] },
  {
    calls: 'clone',
    lacking: 'CAP_SYS_ADMIN',
    tests: [{ argument: 0, is: 'masked', mask: newNamespaces, value: 0n }],
  },
  // Its flags lie in memory, where no filter sees them; C libraries fall back to clone on ENOSYS, not on EPERM.
  { calls: 'clone3', lacking: 'CAP_SYS_ADMIN', errno: ENOSYS },
  {
    calls: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
      lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount
      open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
    holding: 'CAP_SYS_ADMIN',
  },
  { calls: 'open_by_handle_at', holding: 'CAP_DAC_READ_SEARCH' },
  { calls: 'reboot', holding: 'CAP_SYS_BOOT' },
  { calls: 'chroot', holding: 'CAP_SYS_CHROOT' },
  { calls: 'delete_module finit_module init_module', holding: 'CAP_SYS_MODULE' },
  { calls: 'acct', holding: 'CAP_SYS_PACCT' },
  { calls: 'kcmp pidfd_getfd process_madvise', holding: 'CAP_SYS_PTRACE' },
  { calls: 'ioperm iopl', holding: 'CAP_SYS_RAWIO' },
  { calls: 'clock_settime clock_settime64 settimeofday stime', holding: 'CAP_SYS_TIME' },
  { calls: 'vhangup', holding: 'CAP_SYS_TTY_CONFIG' },
  { calls: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node', holding: 'CAP_SYS_NICE' },
  { calls: 'syslog', holding: 'CAP_SYSLOG' },
  { calls: 'bpf', holding: 'CAP_BPF' },
  { calls: 'perf_event_open', holding: 'CAP_PERFMON' },
];

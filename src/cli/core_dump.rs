/// Switches core dumps of this process off, because its memory contains secrets. Where the system refuses, the process
/// goes on: it is as safe as any other that has credentials.
pub(super) fn disable() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Programs that this process starts inherit the limit.
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        let _ = setrlimit(Resource::Core, none);
    }
    // A core dump that the kernel pipes to a program has no limit. Other processes of the user cannot attach, either.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

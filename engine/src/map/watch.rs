//! What happens where a mapped file is cut short by somebody else: reading goes on with zeros, and the map knows.
//!
//! The kernel raises SIGBUS in a thread that reads a page of a map that its file no longer has, which ends the process unless
//! somebody does something about it. Here zeros are mapped over what is gone, and the place is marked as damaged. Whoever
//! reads from a map looks at that mark behind the work, and does not use what came of it.
//!
//! All that the handler does is allowed in one: it loads and stores atomics, and calls `mmap`, `sigaction` and `raise`.

#![allow(unsafe_code)]

use std::{
    io, mem, ptr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use libc::{
    BUS_ADRERR, MAP_ANONYMOUS, MAP_FAILED, MAP_FIXED, MAP_PRIVATE, PROT_READ, SA_ONSTACK, SA_SIGINFO, SIG_DFL, SIG_IGN,
    SIGBUS, c_int, c_void, sigaction, siginfo_t,
};

/// Maps that are watched at once: more than the kernel allows a process by default.
const PLACES_MAX: usize = CHUNKS * CHUNK_PLACES;
const CHUNKS: usize = 256;
const CHUNK_PLACES: usize = 1024;

/// Where one map lies.
#[derive(Debug, Default)]
struct Place {
    /// Its first address; 0 where nothing is watched.
    start: AtomicUsize,
    bytes: AtomicUsize,
    is_damaged: AtomicBool,
}

/// All places, which the handler looks through. What is there once stays, so that it needs no lock.
static PLACES: [OnceLock<Box<[Place]>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];
/// Places that are free, and how many have been used.
static FREE: Mutex<(Vec<usize>, usize)> = Mutex::new((Vec::new(), 0));
/// What was done about SIGBUS before, and the size of a page: there before the handler is.
static BEFORE: OnceLock<Before> = OnceLock::new();

struct Before {
    action: sigaction,
    page_bytes: usize,
}

/// Notices when a map is cut short, from when it is made until it is dropped, which is before the map is.
#[derive(Debug)]
pub(super) struct Watch {
    place: &'static Place,
    number: usize,
}

impl Watch {
    /// Watches over `map`, which is part of a mapped file and begins with a page.
    pub(super) fn over(map: &[u8]) -> io::Result<Self> {
        catch()?;
        let number = take_number().ok_or_else(|| io::Error::other(format!("{PLACES_MAX} files are mapped already")))?;
        let chunk = PLACES[number / CHUNK_PLACES].get_or_init(|| (0..CHUNK_PLACES).map(|_| Place::default()).collect());
        let place = &chunk[number % CHUNK_PLACES];
        place.is_damaged.store(false, Ordering::SeqCst);
        place.bytes.store(map.len(), Ordering::SeqCst);
        place.start.store(map.as_ptr().addr(), Ordering::SeqCst);
        Ok(Self { place, number })
    }

    /// Whether anything that was read may have been a zero that the file did not have.
    pub(super) fn is_damaged(&self) -> bool {
        self.place.is_damaged.load(Ordering::SeqCst)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.place.start.store(0, Ordering::SeqCst);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).0.push(self.number);
    }
}

fn take_number() -> Option<usize> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let (numbers, used) = &mut *free;
    numbers.pop().or_else(|| {
        let number = Some(*used).filter(|used| *used < PLACES_MAX);
        *used += usize::from(number.is_some());
        number
    })
}

/// Installs the handler, once.
fn catch() -> io::Result<()> {
    static IS_CAUGHT: Mutex<bool> = Mutex::new(false);
    let mut is_caught = IS_CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_caught {
        return Ok(());
    }
    // SAFETY: all of its fields are numbers, pointers that may be null, and sets of bits.
    let mut action: sigaction = unsafe { mem::zeroed() };
    // SAFETY: with nothing to install, the present action is written into `action`, which is one.
    if unsafe { sigaction(SIGBUS, ptr::null(), &raw mut action) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: asks for a number.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page_bytes = usize::try_from(page_bytes).map_err(io::Error::other)?;
    BEFORE.get_or_init(|| Before { action, page_bytes });
    action.sa_sigaction = on_bus_error as *const () as usize;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    // SAFETY: `action` is whole, and its handler does only what handlers may do.
    if unsafe { sigaction(SIGBUS, &raw const action, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    *is_caught = true;
    Ok(())
}

extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives handlers with SA_SIGINFO a pointer to what happened.
    let told = unsafe { &*info };
    // SAFETY: SIGBUS with this code comes with an address.
    let address = (told.si_code == BUS_ADRERR).then(|| unsafe { told.si_addr() }.addr());
    let Some(before) = BEFORE.get() else { return };
    if !address.is_some_and(|address| mend(address, before.page_bytes)) {
        pass_on(before, signal, info, context);
    }
}

/// Maps zeros over what is gone from `address` on, if it lies in a map that is watched.
fn mend(address: usize, page_bytes: usize) -> bool {
    let places = PLACES.iter().map_while(OnceLock::get).flat_map(|places| places.iter());
    for place in places {
        let start = place.start.load(Ordering::SeqCst);
        let end = start + place.bytes.load(Ordering::SeqCst).next_multiple_of(page_bytes);
        if start == 0 || !(start..end).contains(&address) {
            continue;
        }
        // First, so that nobody sees a zero without the mark.
        place.is_damaged.store(true, Ordering::SeqCst);
        let page = address / page_bytes * page_bytes;
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        // SAFETY: the pages lie within a map of ours, which stays while the thread reads from it, and whose file ends before
        // them, as the kernel says: nothing is lost that could be read.
        let mapped = unsafe { libc::mmap(ptr::without_provenance_mut(page), end - page, PROT_READ, flags, -1, 0) };
        return mapped != MAP_FAILED;
    }
    false
}

/// Does what was done about the signal before.
fn pass_on(before: &Before, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let action = &before.action;
    if matches!(action.sa_sigaction, SIG_DFL | SIG_IGN) {
        // SAFETY: the action was the process's own. The signal comes again, at the latest by itself, and ends the process.
        unsafe { sigaction(signal, &raw const *action, ptr::null_mut()) };
        // SAFETY: sends a signal to this thread, which waits until this handler returns.
        unsafe { libc::raise(signal) };
    } else if action.sa_flags & SA_SIGINFO != 0 {
        // SAFETY: with this flag, the action is such a function.
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = unsafe { mem::transmute(action.sa_sigaction) };
        handler(signal, info, context);
    } else {
        // SAFETY: without it, the action is such a function.
        let handler: extern "C" fn(c_int) = unsafe { mem::transmute(action.sa_sigaction) };
        handler(signal);
    }
}

//! Where SQLite comes in, from C (<https://sqlite.org/c3ref/vfs.html>). The only unsafe code of the project: it turns
//! SQLite's pointers into values and leaves everything else to [`State`].
//!
//! It behaves as SQLite's own `unix` file system does: overwriting is safe against a loss of power outside of the bytes
//! written, nothing else is promised; a new journal or write-ahead log is synced together with its folder.
#![expect(unsafe_code, reason = "SQLite calls a file system through C function pointers")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    sync::{Arc, atomic::Ordering},
};

use rusqlite::ffi;

use crate::{
    disk::Slot,
    lock::{Holder, Level, Shared},
    medium::FileNo,
    state::{State, Trouble},
};

/// An open file; SQLite allocates it and knows its first member.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    /// `None` before it is open and after it is closed.
    open: Option<Box<Open>>,
}

struct Open {
    slot: &'static Slot,
    file: FileNo,
    /// `None`: the file goes when it is closed.
    name: Option<String>,
    life: u64,
    holder: Holder,
    /// Whether the next sync brings the folder to the medium as well.
    sync_folder: bool,
    shared: Option<Arc<Shared>>,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

const MAX_PATH: c_int = 512;

/// Makes a slot known to SQLite, for as long as the process lives.
pub fn register(slot: &'static Slot) {
    let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<Handle>() as c_int,
        mxPathname: MAX_PATH,
        pNext: std::ptr::null_mut(),
        zName: slot.name.as_ptr(),
        pAppData: std::ptr::from_ref(slot).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: the structure and its name live for ever and nobody else touches them; SQLite guards its own list.
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a file system");
}

/// # Safety
/// `vfs` is one that [`register`] made.
unsafe fn slot(vfs: *mut ffi::sqlite3_vfs) -> &'static Slot {
    // SAFETY: `register` put a `&'static Slot` there.
    unsafe { &*(*vfs).pAppData.cast::<Slot>() }
}

/// # Safety
/// `text` is null or ends in a zero, and stays for the call.
unsafe fn name<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default())
}

/// # Safety
/// `file` was opened by [`open`] and is not closed; SQLite uses one from one thread at a time.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: `open` wrote a `Handle` there.
    let handle = unsafe { &mut *file.cast::<Handle>() };
    handle.open.as_mut().expect("SQLite uses no file that it has closed")
}

/// # Safety
/// As for [`opened`]. Runs `job` on the disk if the file belongs to this life of the processes; else nothing works.
unsafe fn on_disk(
    file: *mut ffi::sqlite3_file,
    failing: c_int,
    job: impl FnOnce(&mut State, &mut Open) -> Result<(), Trouble>,
) -> c_int {
    // SAFETY: as the caller promises.
    let open = unsafe { opened(file) };
    let mut state = open.slot.state();
    if state.life != open.life {
        return failing;
    }
    code(job(&mut state, open), failing)
}

fn code(result: Result<(), Trouble>, failing: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Trouble::Full) => ffi::SQLITE_FULL,
        Err(Trouble::Io | Trouble::Absent) => failing,
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over its file system, a name or null, and room for a handle, which is written before it is read.
    let (slot, path, handle) = unsafe {
        let handle = file.cast::<Handle>();
        handle.write(Handle { base: ffi::sqlite3_file { pMethods: std::ptr::null() }, open: None });
        (slot(vfs), name(path), &mut *handle)
    };
    let mut state = slot.state();
    let makes = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let (found, _) = match state.open(path, makes) {
        Ok(opened) => opened,
        Err(Trouble::Full) => return ffi::SQLITE_FULL,
        Err(Trouble::Io | Trouble::Absent) => return ffi::SQLITE_CANTOPEN,
    };
    state.holders += 1;
    state.open_files += 1;
    let journals = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    handle.open = Some(Box::new(Open {
        slot,
        file: found,
        name: path.map(str::to_owned),
        life: state.life,
        holder: state.holders,
        // As SQLite's own for Unix: whoever may have made a journal brings its name to the medium. One that was there may
        // have been made by somebody who never synced it.
        sync_folder: makes && flags & journals != 0,
        shared: None,
    }));
    handle.base.pMethods = &raw const METHODS;
    if !out_flags.is_null() {
        // SAFETY: not null: it is SQLite's, to be written.
        unsafe { *out_flags = flags };
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what `open` opened, once.
    let Some(open) = unsafe { &mut *file.cast::<Handle>() }.open.take() else { return ffi::SQLITE_OK };
    if let Some(shared) = &open.shared {
        shared.leave(open.holder);
    }
    let mut state = open.slot.state();
    if state.life == open.life {
        state.locks.entry(open.file).or_default().release(open.holder, Level::Unlocked);
        if open.name.is_none() {
            state.medium.forget(open.file);
        }
    }
    state.open_files -= 1;
    open.slot.closed.notify_all();
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives room for `amount` bytes, and an open file.
    let (buffer, mut found) = (unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), amount as usize) }, 0);
    // SAFETY: see above.
    let code = unsafe {
        on_disk(file, ffi::SQLITE_IOERR_READ, |state, open| {
            found = state.read(open.file, offset as usize, buffer)?;
            Ok(())
        })
    };
    if code == ffi::SQLITE_OK && found < buffer.len() {
        buffer[found..].fill(0);
        return ffi::SQLITE_IOERR_SHORT_READ;
    }
    code
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: SQLite gives `amount` bytes, and an open file.
    unsafe {
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), amount as usize);
        on_disk(file, ffi::SQLITE_IOERR_WRITE, |state, open| state.write(open.file, offset as usize, bytes))
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe { on_disk(file, ffi::SQLITE_IOERR_TRUNCATE, |state, open| state.truncate(open.file, size as usize)) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe {
        on_disk(file, ffi::SQLITE_IOERR_FSYNC, |state, open| {
            state.sync(open.file)?;
            if let Some(name) = open.name.as_deref().filter(|_| open.sync_folder) {
                state.sync_folder_of(name)?;
                open.sync_folder = false;
            }
            Ok(())
        })
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite gives an open file and room for the answer.
    unsafe {
        on_disk(file, ffi::SQLITE_IOERR_FSTAT, |state, open| {
            *size = state.size(open.file)? as i64;
            Ok(())
        })
    }
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        ffi::SQLITE_LOCK_EXCLUSIVE => Level::Exclusive,
        _ => Level::Unlocked,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    let mut taken = true;
    // SAFETY: SQLite gives an open file.
    let code = unsafe {
        on_disk(file, ffi::SQLITE_IOERR_LOCK, |state, open| {
            taken = state.locks.entry(open.file).or_default().take(open.holder, level(wanted));
            if state.off { Err(Trouble::Io) } else { Ok(()) }
        })
    };
    if taken { code } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    unsafe {
        on_disk(file, ffi::SQLITE_OK, |state, open| {
            state.locks.entry(open.file).or_default().release(open.holder, level(to));
            Ok(())
        })
    }
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open file and room for the answer.
    unsafe {
        on_disk(file, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK, |state, open| {
            *reserved = state.locks.entry(open.file).or_default().is_reserved().into();
            Ok(())
        })
    }
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    bytes: c_int,
    make: c_int,
    place: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite gives an open file and room for the answer; the region stays until the file is unmapped or closed,
    // for the handle keeps what owns it.
    unsafe {
        *place = std::ptr::null_mut();
        on_disk(file, ffi::SQLITE_IOERR_SHMMAP, |state, open| {
            if open.shared.is_none() {
                open.shared = Some(state.map(open.file)?);
            }
            let shared = open.shared.as_ref().ok_or(Trouble::Io)?;
            if let Some(start) = shared.region(region as usize, bytes as usize, make != 0) {
                *place = start.cast();
            }
            Ok(())
        })
    }
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    let slots = offset as usize..(offset + count) as usize;
    let mut taken = true;
    // SAFETY: SQLite gives an open file.
    let code = unsafe {
        on_disk(file, ffi::SQLITE_IOERR_SHMLOCK, |_, open| {
            let shared = open.shared.as_ref().ok_or(Trouble::Io)?;
            if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
                shared.unlock(open.holder, slots);
            } else {
                taken = shared.lock(open.holder, slots, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0);
            }
            Ok(())
        })
    };
    if taken { code } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite gives an open file, and reads nothing of what was mapped any more.
    let open = unsafe { opened(file) };
    if let Some(shared) = open.shared.take() {
        shared.leave(open.holder);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite hands over its file system and a name.
    let (slot, path) = unsafe { (slot(vfs), name(path).unwrap_or_default()) };
    let mut state = slot.state();
    match state.delete(path) {
        Ok(()) if sync_folder != 0 => code(state.sync_folder_of(path), ffi::SQLITE_IOERR_DIR_FSYNC),
        Err(Trouble::Absent) => ffi::SQLITE_IOERR_DELETE_NOENT,
        result @ (Ok(()) | Err(Trouble::Io | Trouble::Full)) => code(result, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over its file system, a name, and room for the answer.
    unsafe {
        *answer = 0;
        let exists = slot(vfs).state().exists(name(path).unwrap_or_default());
        *answer = exists.unwrap_or_default().into();
        code(exists.map(drop), ffi::SQLITE_IOERR_ACCESS)
    }
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: SQLite hands over a name, and `room` bytes for the answer, which is as long as the name.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), full, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, count: c_int, into: *mut c_char) -> c_int {
    // SAFETY: SQLite hands over its file system and room for `count` bytes.
    let (slot, bytes) = unsafe { (slot(vfs), std::slice::from_raw_parts_mut(into.cast::<u8>(), count as usize)) };
    let mut state = slot.state();
    bytes.iter_mut().for_each(|byte| *byte = state.chance.bits() as u8);
    count
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(std::time::Duration::from_micros(microseconds as u64));
    microseconds
}

/// Noon of 2 January 2026, in milliseconds of the Julian calendar. Time stands still.
const NOW: i64 = 2_461_043 * 86_400_000;

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: SQLite gives room for the answer.
    unsafe { *days = NOW as f64 / 86_400_000.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_int64(_: *mut ffi::sqlite3_vfs, ms: *mut i64) -> c_int {
    // SAFETY: SQLite gives room for the answer.
    unsafe { *ms = NOW };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    ffi::SQLITE_OK
}

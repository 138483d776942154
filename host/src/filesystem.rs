//! `wasi:filesystem/types` on the calling thread.
//!
//! The operations are those of `wasmtime-wasi`. Its own blocking form of them enters a tokio runtime for each
//! operation, which panics in a task of another runtime, also when a draft is merely dropped there. No operation needs
//! a runtime where the store may block the thread, so this form polls each once.

use crate::exhaustion;
use nix::errno::Errno;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types as wasi;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode, Filesize,
    Host, HostDescriptor, HostDirectoryEntryStream, InputStream, MetadataHashValue, NewTimestamp, OpenFlags,
    OutputStream, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

/// The file system of an instance whose store may block the calling thread.
pub(crate) struct Filesystem<'a>(pub(crate) WasiFilesystemCtxView<'a>);

/// Names [`Filesystem`] to the linker.
pub(crate) struct HasFilesystem;

impl HasData for HasFilesystem {
    type Data<'a> = Filesystem<'a>;
}

/// Polls an operation that blocks the thread and so is complete after one poll.
fn complete<T>(operation: impl Future<Output = T>) -> T {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("a file operation of a store that may block the thread does not wait"),
    }
}

/// Corrects the error of an operation for which the process had no descriptor left: `wasmtime-wasi` reports a device that
/// failed, since WASI has no error of its own for it.
fn without_descriptors<T>(result: FsResult<T>) -> FsResult<T> {
    result.map_err(|error| match error.downcast() {
        Ok(wasi::ErrorCode::Io) if exhaustion::descriptors().is_err() => wasi::ErrorCode::InsufficientMemory.into(),
        Ok(code) => code.into(),
        Err(trap) => FsError::trap(trap),
    })
}

impl Host for Filesystem<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        Ok(wasi::Host::convert_error_code(&mut self.0, error)?.into())
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(wasi::Host::filesystem_error_code(&mut self.0, error)?.map(Into::into))
    }
}

impl HostDescriptor for Filesystem<'_> {
    /// Fsyncs a file or a directory.
    ///
    /// `wasmtime-wasi` opens a directory anew for each fsync, since its handle may be one that cannot be fsynced
    /// (`O_PATH`). The component opens its directory for reading, so two system calls are saved.
    fn sync(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        if let Descriptor::Dir(directory) = self.0.table.get(&file)? {
            match directory.dir.sync_all() {
                Ok(()) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(Errno::EBADF as i32) => {}
                // Not retried: the system reports a failed write-back once, and the next fsync succeeds.
                Err(error) => return Err(error.into()),
            }
        }
        complete(wasi::HostDescriptor::sync(&mut self.0, file))
    }

    fn sync_data(&mut self, file: Resource<Descriptor>) -> FsResult<()> {
        complete(wasi::HostDescriptor::sync_data(&mut self.0, file))
    }

    fn advise(
        &mut self,
        file: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        complete(wasi::HostDescriptor::advise(&mut self.0, file, offset, length, advice.into()))
    }

    fn get_flags(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        Ok(complete(wasi::HostDescriptor::get_flags(&mut self.0, file))?.into())
    }

    fn get_type(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorType> {
        Ok(complete(wasi::HostDescriptor::get_type(&mut self.0, file))?.into())
    }

    fn set_size(&mut self, file: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        complete(wasi::HostDescriptor::set_size(&mut self.0, file, size))
    }

    fn set_times(
        &mut self,
        file: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        complete(wasi::HostDescriptor::set_times(&mut self.0, file, accessed.into(), modified.into()))
    }

    fn read(&mut self, file: Resource<Descriptor>, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        complete(wasi::HostDescriptor::read(&mut self.0, file, length, offset))
    }

    fn write(&mut self, file: Resource<Descriptor>, buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        complete(wasi::HostDescriptor::write(&mut self.0, file, buffer, offset))
    }

    fn read_directory(&mut self, directory: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        without_descriptors(complete(wasi::HostDescriptor::read_directory(&mut self.0, directory)))
    }

    fn create_directory_at(&mut self, directory: Resource<Descriptor>, path: String) -> FsResult<()> {
        complete(wasi::HostDescriptor::create_directory_at(&mut self.0, directory, path))
    }

    fn stat(&mut self, file: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        Ok(complete(wasi::HostDescriptor::stat(&mut self.0, file))?.into())
    }

    fn stat_at(&mut self, directory: Resource<Descriptor>, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        Ok(complete(wasi::HostDescriptor::stat_at(&mut self.0, directory, flags.into(), path))?.into())
    }

    fn set_times_at(
        &mut self,
        directory: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (accessed.into(), modified.into());
        complete(wasi::HostDescriptor::set_times_at(&mut self.0, directory, flags.into(), path, accessed, modified))
    }

    fn link_at(
        &mut self,
        directory: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        new_directory: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        complete(wasi::HostDescriptor::link_at(&mut self.0, directory, flags.into(), path, new_directory, new_path))
    }

    fn open_at(
        &mut self,
        directory: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        how: OpenFlags,
        access: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let (how, access) = (how.into(), access.into());
        let opened = complete(wasi::HostDescriptor::open_at(&mut self.0, directory, flags.into(), path, how, access));
        without_descriptors(opened)
    }

    fn readlink_at(&mut self, directory: Resource<Descriptor>, path: String) -> FsResult<String> {
        complete(wasi::HostDescriptor::readlink_at(&mut self.0, directory, path))
    }

    fn remove_directory_at(&mut self, directory: Resource<Descriptor>, path: String) -> FsResult<()> {
        complete(wasi::HostDescriptor::remove_directory_at(&mut self.0, directory, path))
    }

    fn rename_at(
        &mut self,
        directory: Resource<Descriptor>,
        path: String,
        new_directory: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        complete(wasi::HostDescriptor::rename_at(&mut self.0, directory, path, new_directory, new_path))
    }

    fn symlink_at(&mut self, directory: Resource<Descriptor>, path: String, new_path: String) -> FsResult<()> {
        complete(wasi::HostDescriptor::symlink_at(&mut self.0, directory, path, new_path))
    }

    fn unlink_file_at(&mut self, directory: Resource<Descriptor>, path: String) -> FsResult<()> {
        complete(wasi::HostDescriptor::unlink_file_at(&mut self.0, directory, path))
    }

    fn read_via_stream(&mut self, file: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<InputStream>> {
        wasi::HostDescriptor::read_via_stream(&mut self.0, file, offset)
    }

    fn write_via_stream(&mut self, file: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<OutputStream>> {
        wasi::HostDescriptor::write_via_stream(&mut self.0, file, offset)
    }

    fn append_via_stream(&mut self, file: Resource<Descriptor>) -> FsResult<Resource<OutputStream>> {
        wasi::HostDescriptor::append_via_stream(&mut self.0, file)
    }

    fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> wasmtime::Result<bool> {
        complete(wasi::HostDescriptor::is_same_object(&mut self.0, a, b))
    }

    fn metadata_hash(&mut self, file: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        Ok(complete(wasi::HostDescriptor::metadata_hash(&mut self.0, file))?.into())
    }

    fn metadata_hash_at(
        &mut self,
        directory: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        Ok(complete(wasi::HostDescriptor::metadata_hash_at(&mut self.0, directory, flags.into(), path))?.into())
    }

    fn drop(&mut self, file: Resource<Descriptor>) -> wasmtime::Result<()> {
        wasi::HostDescriptor::drop(&mut self.0, file)
    }
}

impl HostDirectoryEntryStream for Filesystem<'_> {
    fn read_directory_entry(&mut self, stream: Resource<DirectoryEntryStream>) -> FsResult<Option<DirectoryEntry>> {
        Ok(complete(wasi::HostDirectoryEntryStream::read_directory_entry(&mut self.0, stream))?.map(Into::into))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        wasi::HostDirectoryEntryStream::drop(&mut self.0, stream)
    }
}

//! The resources of a queue: drafts, bodies and listings.

use crate::task::{Call, answer, call};
use crate::values::{Entry, list};
use napi::bindgen_prelude::{AsyncTask, Buffer, ToNapiValue, TypeName};
use napi::{Error, Status};
use napi_derive::napi;
use queue_store_host::{BodyReader, Draft, Listing, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries of a listing that are passed at a time.
const PAGE_ITEMS: usize = 1000;

/// Bytes of a body that are read at a time: several chunks, since waking a thread takes longer than reading one.
const READ_BYTES: usize = 256 << 10;

/// A resource, until a call consumes it. Calls of one resource take turns.
struct Resource<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Resource<T> {
    fn new(value: T) -> Resource<T> {
        Resource(Arc::new(Mutex::new(Some(value))))
    }

    /// Has a thread make a call.
    fn call<U>(&self, work: impl FnOnce(&mut T) -> Result<U> + Send + 'static) -> AsyncTask<Call<U>>
    where
        U: Send + ToNapiValue + TypeName + 'static,
    {
        let resource = self.0.clone();
        call(move || answer(work(lock(&resource).as_mut().ok_or_else(closed)?)))
    }

    /// Has a thread make a call that consumes the resource.
    fn consume<U>(&self, work: impl FnOnce(T) -> Result<U> + Send + 'static) -> AsyncTask<Call<U>>
    where
        U: Send + ToNapiValue + TypeName + 'static,
    {
        let resource = self.0.clone();
        call(move || {
            let value = lock(&resource).take().ok_or_else(closed)?;
            answer(work(value))
        })
    }
}

fn lock<T>(resource: &Mutex<T>) -> MutexGuard<'_, T> {
    resource.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn closed() -> Error {
    Error::new(Status::GenericFailure, "it was closed before")
}

/// A draft.
#[napi]
pub struct NativeDraft(Resource<Draft>);

impl From<Draft> for NativeDraft {
    fn from(draft: Draft) -> NativeDraft {
        NativeDraft(Resource::new(draft))
    }
}

#[napi]
impl NativeDraft {
    #[napi]
    pub fn write(&self, chunk: Buffer) -> AsyncTask<Call<()>> {
        let chunk = chunk.to_vec();
        self.0.call(move |draft| draft.append(&chunk))
    }

    #[napi]
    pub fn commit(&self) -> AsyncTask<Call<String>> {
        self.0.consume(Draft::commit)
    }

    #[napi]
    pub fn abandon(&self) -> AsyncTask<Call<()>> {
        self.0.consume(Draft::abandon)
    }
}

/// A body that is read.
#[napi]
pub struct NativeBody(Resource<BodyReader>);

impl From<BodyReader> for NativeBody {
    fn from(body: BodyReader) -> NativeBody {
        NativeBody(Resource::new(body))
    }
}

#[napi]
impl NativeBody {
    /// Returns the next bytes; none at the end, where the body was verified.
    #[napi]
    pub fn read(&self) -> AsyncTask<Call<Option<Buffer>>> {
        self.0.call(|body| {
            let Some(mut bytes) = body.next_chunk()? else {
                return Ok(None);
            };
            while bytes.len() < READ_BYTES
                && let Some(chunk) = body.next_chunk()?
            {
                bytes.extend(chunk);
            }
            Ok(Some(bytes.into()))
        })
    }

    #[napi]
    pub fn close(&self) -> AsyncTask<Call<()>> {
        self.0.consume(|body| {
            drop(body);
            Ok(())
        })
    }
}

/// A listing.
#[napi]
pub struct NativeListing(Resource<Listing>);

impl From<Listing> for NativeListing {
    fn from(listing: Listing) -> NativeListing {
        NativeListing(Resource::new(listing))
    }
}

#[napi]
impl NativeListing {
    /// Returns the next items; an empty list at the end.
    #[napi]
    pub fn next(&self) -> AsyncTask<Call<Vec<Entry>>> {
        self.0.call(|listing| listing.by_ref().take(PAGE_ITEMS).collect::<Result<Vec<_>>>().map(list))
    }

    #[napi]
    pub fn close(&self) -> AsyncTask<Call<()>> {
        self.0.consume(|listing| {
            drop(listing);
            Ok(())
        })
    }
}

-- Queues a mail from LuaJIT: luajit put.lua HEADER DIRECTORY

local ffi = require("ffi")

-- The declarations of the header, without the lines of the preprocessor.
local declarations = {}
for line in io.lines(arg[1]) do
    if line:match("^#define QS_ID_SIZE") then
        declarations[#declarations + 1] = "enum { QS_ID_SIZE = " .. line:match("%d+") .. " };"
    elseif not line:match("^#") and not line:match('extern "C"') then
        declarations[#declarations + 1] = line
    end
end
local source = table.concat(declarations, "\n"):gsub("\n}%s*$", "\n")
ffi.cdef(source)
local qs = ffi.load("queue_store")

local function check(code)
    if code ~= qs.QS_OK then
        error(ffi.string(qs.qs_error_message()), 0)
    end
end

local queue = ffi.new("qs_queue *[1]")
check(qs.qs_open(arg[2], queue))
local to = ffi.new("const char *[1]", { "b@example.com" })
local mail = ffi.new("qs_mail", { sender = "a@example.com", to = to, to_count = 1 })
local body = "Subject: hello\r\n\r\nhello from Lua\r\n"
local id = ffi.new("char[?]", qs.QS_ID_SIZE)
check(qs.qs_put(queue[0], mail, body, #body, id))
print(ffi.string(id))
qs.qs_close(queue[0])

-- wrk -s bench_gateway.lua URL -- PATH FILE...: posts one file after the other, again and again.
local requests, count, at = {}, 0, 0

function init(args)
  for number = 2, #args do
    local file = assert(io.open(args[number], "rb"))
    local headers = { ["Content-Type"] = "application/dicom" }
    count = count + 1
    requests[count] = wrk.format("POST", args[1], headers, file:read("*a"))
    file:close()
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

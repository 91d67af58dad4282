# Packs every package, with symbols, into artifacts/. Needs nothing but the .NET SDK.
$ErrorActionPreference = 'Stop'
foreach ($package in 'Lb.Core', 'Lb.Health', 'Lb.Transport', 'Lb.Vrrp', 'Lb.Testing', 'Lb.Tool') {
    dotnet pack "$PSScriptRoot/src/$package" -c Release -o "$PSScriptRoot/artifacts" @args
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

/**
 * The program of the pause container: it leaves its children to the kernel and sleeps for ever. Written as machine code,
 * since no registry and no compiler can be counted on where an agent runs. In C:
 *
 * ```c
 * sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_IGN }, 0);  // as PID 1 of a shared namespace: no zombies
 * for (;;) pause();
 * ```
 */
export function pauseProgram(architecture: PauseArchitecture): Buffer {
  const code = programs[architecture]
  return Buffer.concat([elfHeader(code), code.text])
}

/** As Docker names the architectures that there is a pause program for. */
export type PauseArchitecture = 'amd64' | 'arm64'

interface MachineCode {
  /** `e_machine` of the ELF specification. */
  readonly machine: number
  readonly text: Buffer
}

/** `struct sigaction` of the kernel with SIG_IGN (1) as its handler; flags, restorer and mask are 0 on both architectures. */
const ignoreAction = Buffer.alloc(32)
ignoreAction[0] = 1

const amd64Code = Buffer.from(
  [
    'b80d000000', // mov  eax, 13          rt_sigaction
    'bf11000000', // mov  edi, 17          SIGCHLD
    '488d3517000000', // lea  rsi, [rip+23]    ignoreAction
    '31d2', // xor  edx, edx
    '41ba08000000', // mov  r10d, 8          size of the mask
    '0f05', // syscall
    'b822000000', // mov  eax, 34          pause
    '0f05', // syscall
    'ebf7', // jmp  -9               to the pause
    '90909090', // so that what follows is aligned
  ].join(''),
  'hex',
)

const arm64Code = words([
  0xd28010c8, // mov  x8, #134          rt_sigaction
  0xd2800220, // mov  x0, #17           SIGCHLD
  0x10000161, // adr  x1, +44           ignoreAction
  0xd2800002, // mov  x2, #0
  0xd2800103, // mov  x3, #8            size of the mask
  0xd4000001, // svc  #0
  0xd2800000, // mov  x0, #0            ppoll(0, 0, 0, 0): arm64 has no pause
  0xd2800001, // mov  x1, #0
  0xd2800002, // mov  x2, #0
  0xd2800003, // mov  x3, #0
  0xd2800928, // mov  x8, #73           ppoll
  0xd4000001, // svc  #0
  0x17fffffa, // b    -24               to the ppoll
])

const programs: Readonly<Record<PauseArchitecture, MachineCode>> = {
  amd64: { machine: 62, text: Buffer.concat([amd64Code, ignoreAction]) },
  arm64: { machine: 183, text: Buffer.concat([arm64Code, ignoreAction]) },
}

function words(instructions: readonly number[]): Buffer {
  const text = Buffer.alloc(instructions.length * 4)
  for (const [index, instruction] of instructions.entries()) text.writeUInt32LE(instruction, index * 4)
  return text
}

const loadAddress = 0x400000
const fileHeaderSize = 64
const programHeaderSize = 56

/** A 64-bit little-endian executable of one segment, which is read and run. */
function elfHeader({ machine, text }: MachineCode): Buffer {
  const size = fileHeaderSize + programHeaderSize
  const header = Buffer.alloc(size)
  header.write('\x7fELF', 0, 'latin1')
  header.set([2, 1, 1], 4) // 64 bits, little-endian, version 1
  header.writeUInt16LE(2, 16) // an executable
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(loadAddress + size), 24) // entry
  header.writeBigUInt64LE(BigInt(fileHeaderSize), 32) // where the program header is
  header.writeUInt16LE(fileHeaderSize, 52)
  header.writeUInt16LE(programHeaderSize, 54)
  header.writeUInt16LE(1, 56)

  const segment = header.subarray(fileHeaderSize)
  segment.writeUInt32LE(1, 0) // to be loaded
  segment.writeUInt32LE(5, 4) // read and execute
  segment.writeBigUInt64LE(BigInt(loadAddress), 16)
  segment.writeBigUInt64LE(BigInt(loadAddress), 24)
  segment.writeBigUInt64LE(BigInt(size + text.length), 32)
  segment.writeBigUInt64LE(BigInt(size + text.length), 40)
  segment.writeBigUInt64LE(0x10000n, 48) // alignment: the largest page that arm64 has
  return header
}
